import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { AdoptedChild, adoptOrphans } from './adopted_child.js';

const { PRIO_PGRP, PRIO_PROCESS, PRIO_USER } = posix;
const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

function reapedPid(): number {
  using child = new AdoptedChild('exit 0');
  posix.waitpid(child.pid);
  return child.pid;
}

describe('posix priority', () => {
  adoptOrphans();

  it('getpriority returns the nice value of a process, its own by default', () => {
    assert.equal(posix.getpriority(), getPriority());
    assert.equal(posix.getpriority(PRIO_PROCESS, process.pid), getPriority());
    assert.ok(posix.getpriority(PRIO_PGRP) <= getPriority());
    assert.ok(posix.getpriority(PRIO_USER) <= getPriority());
  });

  it('setpriority changes it', () => {
    using child = new AdoptedChild('exec sleep 1000');
    posix.setpriority(PRIO_PROCESS, child.pid, 7);
    assert.equal(posix.getpriority(PRIO_PROCESS, child.pid), 7);
    assert.equal(getPriority(child.pid), 7);
  });

  it('throws ESRCH in the shape of Node for a process that is gone', () => {
    const pid = reapedPid();
    const gone = { code: 'ESRCH', errno: -3 };
    assert.throws(() => posix.getpriority(PRIO_PROCESS, pid), { ...gone, syscall: 'getpriority' });
    assert.throws(() => posix.setpriority(PRIO_PROCESS, pid, 1), { ...gone, syscall: 'setpriority' });
  });

  it('refuses wrong arguments', () => {
    assert.throws(() => posix.getpriority('0' as never), wrongType);
    assert.throws(() => posix.getpriority(3), outOfRange);
    assert.throws(() => posix.getpriority(PRIO_PROCESS, -1), outOfRange);
    assert.throws(() => posix.setpriority(PRIO_PROCESS, 0, 20), outOfRange);
    assert.throws(() => posix.setpriority(PRIO_PROCESS, 0, -21), outOfRange);
    assert.throws(() => posix.setpriority(PRIO_PROCESS, 0, undefined as never), wrongType);
  });
});

describe('posix affinity', () => {
  adoptOrphans();

  it('schedGetAffinity returns processor numbers, the own ones by default', () => {
    const cpus = posix.schedGetAffinity();
    assert.ok(cpus.length > 0);
    assert.deepEqual(
      cpus,
      [...new Set(cpus)].sort((a, b) => a - b),
    );
    assert.deepEqual(posix.schedGetAffinity(process.pid), cpus);
  });

  it('schedSetAffinity restricts a process', () => {
    using child = new AdoptedChild('exec sleep 1000');
    const last = posix.schedGetAffinity().at(-1) as number;
    posix.schedSetAffinity(child.pid, [last, last]);
    assert.deepEqual(posix.schedGetAffinity(child.pid), [last]);
  });

  it('schedSetAffinity takes numbers above 1024 and ignores processors that do not exist', () => {
    using child = new AdoptedChild('exec sleep 1000');
    const first = posix.schedGetAffinity()[0] as number;
    posix.schedSetAffinity(child.pid, [70_000, first]);
    assert.deepEqual(posix.schedGetAffinity(child.pid), [first]);
  });

  it('throws in the shape of Node when no processor is left or the process is gone', () => {
    assert.throws(() => posix.schedSetAffinity(0, [70_000]), {
      code: 'EINVAL',
      errno: -22,
      syscall: 'sched_setaffinity',
    });
    assert.throws(() => posix.schedGetAffinity(reapedPid()), {
      code: 'ESRCH',
      errno: -3,
      syscall: 'sched_getaffinity',
    });
  });

  it('refuses wrong arguments', () => {
    assert.throws(() => posix.schedGetAffinity('0' as never), wrongType);
    assert.throws(() => posix.schedGetAffinity(-1), outOfRange);
    assert.throws(() => posix.schedSetAffinity(0, 0 as never), wrongType);
    assert.throws(() => posix.schedSetAffinity(0, []), outOfRange);
    assert.throws(() => posix.schedSetAffinity(0, [0, -1]), outOfRange);
    assert.throws(() => posix.schedSetAffinity(0, [2 ** 20]), outOfRange);
    assert.throws(() => posix.schedSetAffinity(0, ['0'] as never), wrongType);
    assert.throws(() => posix.schedSetAffinity(0, [undefined] as never), wrongType);
  });
});
