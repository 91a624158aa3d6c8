import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { close, pipe, read, write } from 'posix-multiprocessing/posix';
import { onceReady, READABLE, stopWaiting, WRITABLE, watchedDescriptors, whenReady } from '#internals';
import { waitFor } from '../support/watchdog.js';

describe('waiting for a descriptor', () => {
  it('ends at once, again and again, when its other end is gone: libuv stops watching such a one', async () => {
    for (const side of ['writer', 'reader'] as const) {
      const { readEnd, writeEnd } = pipe();
      const [fd, other, events] = side === 'writer' ? [writeEnd, readEnd, WRITABLE] : [readEnd, writeEnd, READABLE];
      const owner = {};
      close(other);
      let left = 3;
      await new Promise<void>((resolve) => {
        const again = (): void => {
          if (left === 0) return resolve();
          left -= 1;
          onceReady(fd, events, owner, again);
        };
        again();
      });
      assert.equal(await whenReady(fd, events, Number.POSITIVE_INFINITY), true);
      stopWaiting(fd);
      close(fd);
    }
  });

  it('gives the handle of the loop back when nobody has waited for a while', async () => {
    const { readEnd, writeEnd } = pipe();
    const owner = {};
    for (let round = 0; round < 3; round += 1) {
      await new Promise<void>((resolve) => onceReady(writeEnd, WRITABLE, owner, resolve));
      assert.ok(watchedDescriptors().includes(writeEnd));
      await waitFor('the handle is given back', () => !watchedDescriptors().includes(writeEnd));
    }
    close(readEnd);
    close(writeEnd);
  });

  it('goes on watching for who waits again, and stops when nobody does and it is ready', async () => {
    const { readEnd, writeEnd } = pipe();
    const owner = {};
    const next = (): Promise<void> => new Promise((resolve) => onceReady(readEnd, READABLE, owner, resolve));
    for (let round = 0; round < 3; round += 1) {
      const ready = next();
      write(writeEnd, Buffer.of(round));
      await ready;
      read(readEnd, Buffer.alloc(1));
      assert.ok(isInEpoll(readEnd));
    }
    write(writeEnd, Buffer.of(0));
    await waitFor('the loop is not woken again and again', () => !isInEpoll(readEnd));
    await next();
    stopWaiting(readEnd);
    close(readEnd);
    close(writeEnd);
  });
});

/** Whether an event loop of this process watches it. proc_pid_fdinfo(5) */
function isInEpoll(fd: number): boolean {
  const target = new RegExp(`^tfd:\\s+${fd} `, 'm');
  return readdirSync('/proc/self/fdinfo').some((each) => {
    try {
      return target.test(readFileSync(`/proc/self/fdinfo/${each}`, 'utf8'));
    } catch {
      return false; // the descriptor that this directory was read with
    }
  });
}
