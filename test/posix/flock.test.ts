import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';

const { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock } = posix;

describe('posix flock', () => {
  let folder: string;
  let file: string;
  let first: number;
  let second: number;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mp-flock-'));
    file = path.join(folder, 'lock');
    first = openSync(file, 'w');
    second = openSync(file, 'r');
  });
  afterEach(() => {
    closeSync(first);
    closeSync(second);
    rmSync(folder, { recursive: true });
  });

  it('keeps other openings of the file out of an exclusive lock', () => {
    assert.equal(flock(first, LOCK_EX), true);
    assert.equal(flock(second, LOCK_EX | LOCK_NB), false);
    assert.equal(flock(second, LOCK_SH | LOCK_NB), false);
    assert.equal(flock(first, LOCK_UN), true);
    assert.equal(flock(second, LOCK_EX | LOCK_NB), true);
  });

  it('lets shared locks go together', () => {
    assert.equal(flock(first, LOCK_SH), true);
    assert.equal(flock(second, LOCK_SH), true);
    assert.equal(flock(second, LOCK_EX | LOCK_NB), false);
  });

  it('belongs to the open file, which duplicates of a descriptor share', () => {
    assert.equal(flock(first, LOCK_EX), true);
    const duplicate = posix.dup(first);
    assert.equal(flock(duplicate, LOCK_EX | LOCK_NB), true);
    assert.equal(flock(duplicate, LOCK_UN), true);
    posix.close(duplicate);
    assert.equal(flock(second, LOCK_EX | LOCK_NB), true);
  });

  it('waits for the lock of another process, which goes with it', async () => {
    const holder = spawn(
      process.execPath,
      [
        '--eval',
        `import(process.argv[1]).then(({ flock, LOCK_EX }) => {
          flock(require('node:fs').openSync(process.argv[2], 'r'), LOCK_EX);
          console.log('locked');
          setInterval(() => {}, 1000);
        });`,
        import.meta.resolve('posix-multiprocessing/posix'),
        file,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    assert.equal(flock(first, LOCK_EX | LOCK_NB), false);
    holder.kill('SIGKILL');
    assert.equal(flock(first, LOCK_EX), true);
    await once(holder, 'close');
  });

  it('throws EBADF in the shape of Node for a descriptor that is not open', () => {
    const { readEnd, writeEnd } = posix.pipe();
    posix.close(readEnd);
    posix.close(writeEnd);
    assert.throws(() => flock(readEnd, LOCK_SH), { code: 'EBADF', errno: -9, syscall: 'flock' });
  });

  it('refuses wrong descriptors and operations', () => {
    const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => flock('1' as never, LOCK_EX), wrongType);
    assert.throws(() => flock(-1, LOCK_EX), outOfRange);
    assert.throws(() => flock(first, undefined as never), wrongType);
    for (const operation of [0, LOCK_NB, LOCK_SH | LOCK_EX, 16, -1, 2 ** 32 + LOCK_EX]) {
      assert.throws(() => flock(first, operation), outOfRange);
    }
    assert.equal(flock(second, LOCK_EX | LOCK_NB), true);
  });
});
