import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { close, pipe } from 'posix-multiprocessing/posix';
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
});
