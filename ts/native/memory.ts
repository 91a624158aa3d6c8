/** The faces of native/binding/memory_api.cc and semaphore_api.cc. */

export interface SemaphoreObject {
  /** Blocks; negative milliseconds wait for ever. False: the time is up. */
  wait(milliseconds: number): boolean;
  tryWait(): boolean;
  post(): void;
  getValue(): number;
  /** Every call after it, this one too, throws EINVAL. */
  close(): void;
}

export interface WordWatchObject {
  /** Polls readable while changed() has something; it stays the watch's. */
  fd(): number;
  /** Watches a word of a buffer of mmap(), which stays mapped meanwhile. */
  start(ticket: number, buffer: ArrayBuffer, byteOffset: number, expected: number): void;
  /** Tickets of words that are not what they were; they are watched no more. */
  changed(): number[];
  stop(ticket: number): void;
  /** Gives the descriptor back: nothing is watched any more. In a forked child it leaves the parent's watch alone. */
  close(): void;
}

export interface MemoryBinding {
  WordWatch: new () => WordWatchObject;
  Semaphore: new (name: string, flags: number, mode: number, value: number) => SemaphoreObject;
  semUnlink(name: string): void;
  /** The caller owns the descriptor. */
  shmOpen(name: string, flags: number, mode: number): number;
  shmUnlink(name: string): void;
  /** Of size 0, in /dev/shm, without a name yet. The caller owns the descriptor. */
  makeNamelessObject(mode: number): number;
  /** Gives it its name, '/name', all at once. */
  nameObject(fd: number, name: string): void;
  /** The caller owns the descriptor. */
  memfdCreate(label: string): number;
  ftruncate(fd: number, size: number): void;
  posixFallocate(fd: number, offset: number, length: number): void;
  mmap(fd: number, length: number, protection: number, flags: number, offset: number): ArrayBuffer;
  /** Every view of the buffer has length 0 afterwards. */
  munmap(buffer: ArrayBuffer): void;
  msync(buffer: ArrayBuffer, offset: number, length: number, flags: number): void;
  /** What is past the end of its file reads as zeros, private to this process, instead of raising SIGBUS. */
  guard(buffer: ArrayBuffer): void;
  /** A private mapping shows its file again. */
  discardWrites(buffer: ArrayBuffer): void;
  /** Whether mmap() made this ArrayBuffer. */
  isMapped(value: unknown): boolean;
}
