/** The face of native/binding/process_api.cc. */

export interface ProcessBinding {
  getpid(): number;
  getppid(): number;
  setsid(): number;
  umask(mask: number): number;
  /** _exit(2). */
  exit(code: number): never;
  kill(pid: number, signal: number): void;
  /** Blocks; Infinity never ends. */
  nanosleep(milliseconds: number): void;
  setParentDeathSignal(signal: number): void;
  getParentDeathSignal(): number;
  setChildSubreaper(enabled: boolean): void;
  getChildSubreaper(): boolean;
  setThreadName(name: string): void;
  getThreadName(): string;
  /** Only for options whose argument is no address: anything else corrupts memory. */
  prctl(option: number, value: number): number;
  /**
   * A new program; the caller owns the pidfd. `descriptors`: pairs of numbers, here and there. Throws the errors of
   * execve(2). posix_spawn(3)
   */
  spawn(
    file: string,
    args: string[],
    environment: string[],
    directory: string | undefined,
    descriptors: Int32Array,
  ): { pid: number; pidfd: number };
}
