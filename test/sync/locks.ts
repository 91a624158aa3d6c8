/** Locks for tests. */

import { Lock, type LockOptions, type Process, SharedMemory } from 'posix-multiprocessing';

let made = 0;

/** A name that no other test has, without a slash. */
export function freshName(): string {
  made += 1;
  return `mp-test-${process.pid}-${made}`;
}

/** A nameless lock, closed in the end. */
export async function withLock(body: (lock: Lock) => Promise<void>, options?: LockOptions): Promise<void> {
  const lock = new Lock(options);
  try {
    await body(lock);
  } finally {
    lock.close();
  }
}

/** Whether the lock can be taken, once. */
export function isFree(lock: Lock): boolean {
  if (!lock.tryAcquire()) return false;
  const once = !lock.tryAcquire();
  lock.release();
  return once;
}

/** Kills the process and waits for its end. */
export async function end(child: Process): Promise<void> {
  child.kill();
  await child.join();
  child.close();
}

/** Words that all processes share, and gone in the end. */
export async function withWords(body: (words: Int32Array) => Promise<void>): Promise<void> {
  using memory = SharedMemory.create({ size: 64 });
  await body(new Int32Array(memory.buffer));
  memory.unlink();
}

/** Lets the event loop, and the threads that wait for it, come round. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
