import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

describe('posix.fork', () => {
  it('returns 0 in the child and the pid in the parent; both go on from that line, promises and timers too', async () => {
    const { stdout, code, stderr } = await runScript(`
      import { fork, waitpid } from 'posix-multiprocessing/posix';
      import fs from 'node:fs/promises';
      import dns from 'node:dns/promises';
      import zlib from 'node:zlib';
      import crypto from 'node:crypto';
      import { promisify } from 'node:util';
      const begun = new Promise((resolve) => setTimeout(() => resolve('timer set before'), 20));
      await fs.readFile('/proc/self/stat');
      const pid = fork();
      const who = pid === 0 ? 'child' : 'parent';
      const lines = [
        await begun,
        await new Promise((resolve) => setTimeout(() => resolve('timer set after'), 5)),
        (await fs.readFile('/proc/self/comm', 'utf8')).length > 0,
        (await dns.lookup('localhost')).family > 0,
        (await promisify(zlib.deflate)('text')).length > 0,
        (await promisify(crypto.pbkdf2)('a', 'b', 1, 8, 'sha1')).length,
        typeof (await import('node:readline')).clearLine,
      ];
      console.log(who, lines.join());
      if (pid === 0) process.exit(7);
      const end = waitpid(pid);
      console.log(end.pid === pid, end.exitCode);
    `);
    assert.equal(code, 0, stderr);
    const facts = 'timer set before,timer set after,true,true,true,8,function';
    assert.deepEqual(stdout.trim().split('\n').sort(), [`child ${facts}`, `parent ${facts}`, 'true 7'].sort());
  });

  it('lets a child end by itself: with its exit code, its listeners run once in each', async () => {
    const { stdout, code } = await runScript(`
      import { fork, waitpid } from 'posix-multiprocessing/posix';
      process.on('exit', (code) => console.log('exit', process.pid === main ? 'parent' : 'child', code));
      const main = process.pid;
      const pid = fork();
      if (pid === 0) process.exitCode = 9;
      else await new Promise((resolve) => setTimeout(resolve, 10));
      if (pid !== 0) console.log(waitpid(pid).exitCode);
    `);
    assert.equal(code, 0);
    assert.deepEqual(stdout.trim().split('\n').sort(), ['9', 'exit child 9', 'exit parent 0']);
  });

  it('ends a child that throws with 1 and its stack', async () => {
    const { stdout, stderr, code } = await runScript(`
      import { fork, waitpid } from 'posix-multiprocessing/posix';
      const pid = fork();
      if (pid === 0) throw new Error('on purpose');
      console.log(waitpid(pid).exitCode);
    `);
    assert.equal(code, 0);
    assert.equal(stdout, '1\n');
    assert.match(stderr, /Error: on purpose\n +at/);
  });

  it('may be called deep in a loop, by children of children', async () => {
    const { stdout, code } = await runScript(`
      import { fork, waitpid } from 'posix-multiprocessing/posix';
      for (let level = 0; level < 4; level++) {
        const pid = fork();
        if (pid !== 0) {
          process.exitCode = waitpid(pid).exitCode;
          break;
        }
        if (level === 3) process.exitCode = 33;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(process.exitCode);
    `);
    assert.equal(code, 33);
    assert.equal(stdout, '33\n'.repeat(5));
  });
});
