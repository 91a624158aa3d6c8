import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';
import { AdoptedChild, adoptOrphans } from './adopted_child.js';
import { interrupted } from './interrupted.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

describe('posix process identity', () => {
  it('getpid and getppid agree with Node in a process that was not forked', () => {
    assert.equal(posix.getpid(), process.pid);
    assert.equal(posix.getppid(), process.ppid);
  });

  it('setsid makes the process a leader once and then throws EPERM', async () => {
    const { stdout } = await runScript(`
      import { getpid, setsid } from 'posix-multiprocessing/posix';
      const session = setsid();
      try { setsid(); } catch ({ code, errno, syscall }) {
        console.log(JSON.stringify({ leads: session === getpid(), code, errno, syscall }));
      }`);
    assert.deepEqual(JSON.parse(stdout), { leads: true, code: 'EPERM', errno: -1, syscall: 'setsid' });
  });

  it('umask returns the mask it replaces', () => {
    const before = posix.umask(0o027);
    assert.equal(posix.umask(before), 0o027);
    assert.equal(process.umask(), before);
  });

  it('umask refuses what is no mask and changes nothing', () => {
    const before = process.umask();
    assert.throws(() => posix.umask('022' as never), wrongType);
    assert.throws(() => posix.umask(-1), outOfRange);
    assert.throws(() => posix.umask(0o1000), outOfRange);
    assert.throws(() => posix.umask(1.5), outOfRange);
    assert.equal(process.umask(), before);
  });
});

describe('posix _exit', () => {
  const exitWith = (code: string) =>
    runScript(`
      import { _exit } from 'posix-multiprocessing/posix';
      process.on('exit', () => console.log('exit listener'));
      _exit(${code});`);

  it('ends the process with the low 8 bits of the code and runs no exit listener', async () => {
    for (const [code, expected] of [
      ['0', 0],
      ['7', 7],
      ['256 + 3', 3],
      ['-1', 255],
    ] as const) {
      const { code: ended, stdout } = await exitWith(code);
      assert.deepEqual({ ended, stdout }, { ended: expected, stdout: '' });
    }
  });

  it('refuses what is no exit code and lets the process go on', async () => {
    const { code, stdout, stderr } = await exitWith('"0"');
    assert.equal(code, 1);
    assert.equal(stdout, 'exit listener\n');
    assert.match(stderr, /ERR_INVALID_ARG_TYPE/);
    assert.throws(() => posix._exit(0.5), outOfRange);
  });
});

describe('posix kill', () => {
  adoptOrphans();

  it('sends signals by name and by number', () => {
    for (const signal of ['SIGTERM', 9, 'SIGRTMIN+1', 'SIGRTMAX'] as const) {
      using child = new AdoptedChild('exec sleep 1000');
      posix.kill(child.pid, signal);
      const expected = signal === 9 ? 'SIGKILL' : signal;
      assert.deepEqual(posix.waitpid(child.pid), { pid: child.pid, exitCode: undefined, signal: expected });
    }
  });

  it('with signal 0 only asks, and throws ESRCH in the shape of Node for a process that is gone', () => {
    using child = new AdoptedChild('exec sleep 1000');
    posix.kill(child.pid, 0);
    posix.kill(child.pid, 'SIGKILL');
    posix.waitpid(child.pid);
    assert.throws(() => posix.kill(child.pid, 0), {
      name: 'Error',
      message: 'ESRCH: no such process, kill',
      code: 'ESRCH',
      errno: -3,
      syscall: 'kill',
    });
  });

  it('refuses wrong pids and signals', () => {
    assert.throws(() => posix.kill('1' as never, 0), wrongType);
    assert.throws(() => posix.kill(2 ** 31, 0), outOfRange);
    assert.throws(() => posix.kill(process.pid, undefined as never), wrongType);
    assert.throws(() => posix.kill(process.pid, -1), outOfRange);
    assert.throws(() => posix.kill(process.pid, 65), outOfRange);
    assert.throws(() => posix.kill(process.pid, Number.NaN), outOfRange);
    for (const name of ['SIGNONE', 'TERM', 'sigterm', '', 'toString']) {
      assert.throws(() => posix.kill(process.pid, name), { name: 'TypeError', code: 'ERR_UNKNOWN_SIGNAL' });
    }
  });
});

describe('posix nanosleep', () => {
  function elapsed(body: () => void): number {
    const start = performance.now();
    body();
    return performance.now() - start;
  }

  it('lasts at least as long as asked for, fractions included', () => {
    assert.ok(elapsed(() => posix.nanosleep(20)) >= 20);
    assert.ok(elapsed(() => posix.nanosleep(1.5)) >= 1.5);
    posix.nanosleep(0);
  });

  it('goes on to its end after signals have interrupted it', () =>
    interrupted(() => assert.ok(elapsed(() => posix.nanosleep(100)) >= 100)));

  it('refuses what is no time', () => {
    assert.throws(() => posix.nanosleep('1' as never), wrongType);
    assert.throws(() => posix.nanosleep(-1), outOfRange);
    assert.throws(() => posix.nanosleep(Number.NaN), outOfRange);
  });
});
