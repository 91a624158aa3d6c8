/** The face of native/fork/module.cc. */

export interface ForkBinding {
  /** Takes V8's background threads over, once. The reason when that can't be. */
  prepare(): string | undefined;
  /** To be called right after a MessageChannel was made: fresh children deliver nothing that is on its way to a port. */
  recognizeMessagePorts(): void;
  /**
   * The ids of the threads that Node made for V8's tasks, and of those of libuv's pool, which are started if need be.
   * undefined when one of them was busy for `patience` milliseconds.
   */
  taskThreads(patience: number): number[] | undefined;
  ioThreads(patience: number): number[] | undefined;
  /**
   * Forks one child that collects and compiles, and waits for it: some 15 ms. 'busy' when V8's threads were for `patience`
   * milliseconds; 'disturbed' when the child could not be made, or was killed by somebody: no verdict either.
   */
  trial(patience: number): { outcome: 'passed' | 'busy' | 'disturbed' | 'failed'; reason: string };
  /** Collects until nothing more is found, lets V8's threads finish, gives free memory back. Blocks. After prepare(). */
  collectAllGarbage(): void;
  /** Calls back once from the loop's check phase: no JavaScript on the stack, no batch of events half done. */
  atCleanPoint(callback: () => void): void;
  /**
   * fork(2). In the parent the child's pid and a pidfd that the caller owns; pid 0 in the child. undefined when V8's
   * threads were busy for `patience` milliseconds. A fresh child keeps no descriptor of a libuv handle but `keep`, and
   * returns with every signal blocked. Throws ENOMEM, EAGAIN, EMFILE, before anything has happened.
   */
  fork(
    patience: number,
    fresh: boolean,
    keep: Int32Array,
    parentDeathSignal: number,
  ): { pid: number; pidfd: number } | undefined;
  /** In a fresh child, when the parent's handlers are gone: the mask as it was before the fork. */
  unblockSignals(): void;
  /** The code that a child ends with when its loop runs dry. */
  setExitCode(code: number): void;
  /** Which of the standard descriptors 0, 1, 2 a libuv stream of this process works on. */
  standardStreams(): number[];
  /** True in a fresh child whose parent waited for the answer of a DNS server: that resolver gets none here. */
  lostDnsQueries(): boolean;
  /** getrandom(2): not OpenSSL's generator, whose first use in a child costs a millisecond. */
  fillRandom(bytes: Uint8Array): void;
  /** For adoptMemoryWith() of the Node-API addon. */
  memoryAdopter(): object;
}
