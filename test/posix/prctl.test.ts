import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

describe('posix parent death signal', () => {
  afterEach(() => posix.setParentDeathSignal(0));

  it('is none, then what was set, by name or number, then none again', () => {
    assert.equal(posix.getParentDeathSignal(), undefined);
    posix.setParentDeathSignal('SIGTERM');
    assert.equal(posix.getParentDeathSignal(), 'SIGTERM');
    posix.setParentDeathSignal(9);
    assert.equal(posix.getParentDeathSignal(), 'SIGKILL');
    posix.setParentDeathSignal(0);
    assert.equal(posix.getParentDeathSignal(), undefined);
  });

  it('comes when the parent ends', async () => {
    // The outer process leaves as soon as the inner one is armed; runScript resolves when both have ended.
    const inner = `
      import { setParentDeathSignal } from 'posix-multiprocessing/posix';
      process.on('SIGUSR1', () => { console.log('orphaned'); process.exit(); });
      setInterval(() => {}, 1000);
      setParentDeathSignal('SIGUSR1');
      console.error('armed');`;
    const { stdout, timedOut } = await runScript(`
      import { spawn } from 'node:child_process';
      const stdio = ['ignore', 'inherit', 'pipe'];
      const child = spawn(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(inner)}], { stdio });
      child.stderr.once('data', () => process.exit());`);
    assert.equal(stdout, 'orphaned\n');
    assert.equal(timedOut, false);
  });

  it('refuses what is no signal', () => {
    assert.throws(() => posix.setParentDeathSignal(undefined as never), wrongType);
    assert.throws(() => posix.setParentDeathSignal(65), outOfRange);
    assert.throws(() => posix.setParentDeathSignal('SIGNONE'), { name: 'TypeError', code: 'ERR_UNKNOWN_SIGNAL' });
  });
});

describe('posix child subreaper', () => {
  afterEach(() => posix.setChildSubreaper(false));

  it('can be set and read', () => {
    assert.equal(posix.getChildSubreaper(), false);
    posix.setChildSubreaper(true);
    assert.equal(posix.getChildSubreaper(), true);
    assert.throws(() => posix.setChildSubreaper(1 as never), wrongType);
    assert.equal(posix.getChildSubreaper(), true);
  });
});

describe('posix process name', () => {
  const original = posix.getProcessName();
  afterEach(() => posix.setProcessName(original));

  it('is what ps shows', () => {
    posix.setProcessName('mp name test');
    assert.equal(posix.getProcessName(), 'mp name test');
    assert.equal(readFileSync('/proc/self/comm', 'utf8'), 'mp name test\n');
  });

  it('is cut after the last whole character within 15 bytes', () => {
    posix.setProcessName('0123456789abcdef');
    assert.equal(posix.getProcessName(), '0123456789abcde');
    posix.setProcessName('0123456789abcd€');
    assert.equal(posix.getProcessName(), '0123456789abcd');
    posix.setProcessName('0123456789a😀b');
    assert.equal(posix.getProcessName(), '0123456789a😀');
  });

  it('refuses what is no name', () => {
    assert.throws(() => posix.setProcessName(1 as never), wrongType);
    assert.throws(() => posix.setProcessName('a\0b'), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    assert.equal(posix.getProcessName(), original);
  });
});

describe('posix prctl', () => {
  it('reaches the same attributes as the helpers', () => {
    assert.equal(posix.prctl(posix.PR_SET_PDEATHSIG, 'SIGHUP'), 0);
    assert.equal(posix.getParentDeathSignal(), 'SIGHUP');
    assert.equal(posix.prctl(posix.PR_GET_PDEATHSIG), 1);
    assert.equal(posix.prctl(posix.PR_SET_PDEATHSIG, 0), 0);
    assert.equal(posix.prctl(posix.PR_SET_CHILD_SUBREAPER, 1), 0);
    assert.equal(posix.prctl(posix.PR_GET_CHILD_SUBREAPER), 1);
    assert.equal(posix.getChildSubreaper(), true);
    assert.equal(posix.prctl(posix.PR_SET_CHILD_SUBREAPER, 0), 0);
    const name = posix.prctl(posix.PR_GET_NAME);
    assert.equal(posix.prctl(posix.PR_SET_NAME, 'mp-prctl'), 0);
    assert.equal(posix.prctl(posix.PR_GET_NAME), 'mp-prctl');
    posix.prctl(posix.PR_SET_NAME, name);
  });

  it('reads and writes options that are plain integers', () => {
    const slack = posix.prctl(posix.PR_GET_TIMERSLACK);
    assert.equal(posix.prctl(posix.PR_SET_TIMERSLACK, 70_000), 0);
    assert.equal(posix.prctl(posix.PR_GET_TIMERSLACK), 70_000);
    posix.prctl(posix.PR_SET_TIMERSLACK, slack);
    assert.equal(posix.prctl(posix.PR_GET_NO_NEW_PRIVS), 0);
  });

  it('throws EINVAL in the shape of Node for a value that the kernel refuses', () => {
    assert.throws(() => posix.prctl(posix.PR_SET_DUMPABLE, 9), { code: 'EINVAL', errno: -22, syscall: 'prctl' });
  });

  it('refuses options that could take an address, and wrong values', () => {
    const PR_SET_MM = 35;
    assert.throws(() => posix.prctl(PR_SET_MM, 1), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => posix.prctl(2 ** 32 + posix.PR_SET_NAME, 1), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
    });
    assert.throws(() => posix.prctl('1' as never), wrongType);
    assert.throws(() => posix.prctl(posix.PR_SET_NAME, 1 as never), wrongType);
    assert.throws(() => posix.prctl(posix.PR_SET_DUMPABLE), wrongType);
    assert.throws(() => posix.prctl(posix.PR_SET_TIMERSLACK, -1), outOfRange);
    assert.throws(() => posix.prctl(posix.PR_SET_CHILD_SUBREAPER, 'yes' as never), wrongType);
  });
});
