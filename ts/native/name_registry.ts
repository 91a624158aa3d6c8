/** The face of native/binding/name_registry_api.cc. */

export interface NameRegistryObject {
  /** It stays the registry's. */
  fd(): number;
  /** The registry appears in /dev/shm as that file, '/name'. */
  publish(file: string): void;
  /** Whether a tracker waits for the end of the tree. */
  isTracked(): boolean;
  /** Writes a name down that goes with the tree; its slot. */
  add(file: string, inode: number): number;
  /** It shall stay, or is gone. The slot is undefined if another process wrote it down. */
  remove(file: string, inode: number, slot: number | undefined): void;
}

export interface NameRegistryBinding {
  /** A new one: this process, and those that inherit its descriptor, are the tree. Or of an inherited descriptor. */
  NameRegistry: new (
    fd?: number,
  ) => NameRegistryObject;
  /** Runs a program in a session of its own and blocks until it has ended; its exit code. */
  runDetached(program: string, ...commandLine: string[]): number;
}
