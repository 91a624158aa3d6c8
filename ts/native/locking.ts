/** The face of native/binding/locking_api.cc. */

/** How futexWait() ended. Python: none. */
export type FutexOutcome = 'ok' | 'not-equal' | 'timed-out';

export interface LockingBinding {
  /** Blocks; negative milliseconds wait for ever. */
  futexWait(words: Int32Array, index: number, expected: number, milliseconds: number): FutexOutcome;
  futexWake(words: Int32Array, index: number, count: number): number;
  /** Blocks without LOCK_NB; false: held elsewhere. */
  flock(fd: number, operation: number): boolean;
}
