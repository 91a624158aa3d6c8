/** The face of native/binding/lock_api.cc. */

/**
 * How an attempt to get a lock ended: false without it, true with it, a pid with it and from this process, which died
 * holding it.
 */
export type Attempt = boolean | number;

/** `self` is this process's token, of processToken(). */
export interface SemLockObject {
  /** Of its file: tells it from a later one of the same name. */
  inode(): number;
  tryAcquire(self: number): Attempt;
  /** Blocks; negative milliseconds wait for ever. */
  acquire(self: number, milliseconds: number): Attempt;
  /** False: nobody holds it. */
  release(): boolean;
  isHeld(): boolean;
  /** 0: nobody, or a program that leaves no name. */
  holder(): number;
  /** Waits on a thread; the descriptor, which stays this object's, polls readable once the unit is taken. */
  startWaiting(self: number): number;
  /** What the thread has got by now; it takes nothing afterwards. In a forked child it forgets the parent's. */
  stopWaiting(): Attempt;
  close(): void;
}

export interface LockBinding {
  /** With a mode it makes a semaphore of value 1, without one it opens what is there. The name has no slash. */
  SemLock: new (
    name: string,
    mode: number | undefined,
  ) => SemLockObject;
  /** Names this process in shared memory, and no other, forked children included. */
  processToken(): number;
}
