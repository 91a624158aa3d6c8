import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { runScript, type ScriptResult } from '../support/run_script.js';

const { EAGAIN, ENOMEM, ENOSYS, EPERM } = constants.errno;

/** Runs a program whose calls of one system call fail with an errno, as under a container's seccomp profile. seccomp(2). */
const launcher = `
  #define _GNU_SOURCE
  #include <linux/filter.h>
  #include <linux/seccomp.h>
  #include <stddef.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <string.h>
  #include <sys/prctl.h>
  #include <sys/syscall.h>
  #include <unistd.h>

  int main(int argc, char **argv) {
    unsigned int number = SYS_pidfd_open;
    if (strcmp(argv[1], "futex_waitv") == 0) number = 449; // since Linux 5.16, on all architectures
    if (strcmp(argv[1], "clone3") == 0) number = SYS_clone3;
    if (strcmp(argv[1], "clone") == 0) number = SYS_clone; // what fork(3) is made of; threads are made by clone3(2)
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(argv[2])),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(rules) / sizeof(rules[0]), rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 120;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) return 121;
    execv(argv[3], argv + 3);
    return 122;
  }`;

/** What each start method does, and who is still there after. */
const attempts = `
  import fs from 'node:fs';
  import { activeChildren, forkSupport, importable, Process } from 'posix-multiprocessing';
  import { fork } from 'posix-multiprocessing/posix';
  const children = () => fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
  const descriptors = () => fs.readdirSync('/proc/self/fd').length;
  const support = forkSupport();
  console.log(JSON.stringify(support));
  if (support.supported) {
    const child = await new Process({ target: () => process.exit(7), startMethod: 'fork' }).start();
    await child.join();
    console.log(child.exitCode);
  } else {
    const before = descriptors();
    const target = () => fs.writeSync(1, 'a child runs');
    const errors = [];
    const own = new Process({ target, startMethod: 'fork' });
    errors.push(await own.start().catch((reason) => reason));
    try { own.startSync() } catch (error) { errors.push(error) }
    try { if (fork() === 0) process.exit() } catch (error) { errors.push(error) }
    console.log(errors.map(({ code }) => code).join());
    if (process.argv[1] === 'spawn') {
      const other = new Process({ target: 'node:os', startMethod: 'spawn' });
      console.log((await other.start().catch((reason) => reason)).code);
    }
    console.log(JSON.stringify([activeChildren().length, children(), descriptors() - before]));
  }`;

/** Waits in every way, until in a second less than a tenth of it was spent on a processor; then what is awaited happens. */
const waits = `
  import { Event, Lock, notifyChange, Process, SharedArray, waitForChange } from 'posix-multiprocessing';
  const { array } = new SharedArray('i32', 1);
  const event = new Event();
  const lock = new Lock();
  await lock.acquire();
  const all = [waitForChange(array, 0, 0), event.wait(), lock.acquire()];
  for (let spent = Infinity; spent > 100_000; ) {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(before);
    spent = user + system;
  }
  console.log('quiet');
  const target = () => {
    Atomics.store(array, 0, 1);
    notifyChange(array, 0);
    event.set();
    lock.release();
  };
  await new Process({ target }).start();
  console.log('set', ...(await Promise.all(all)));`;

describe('where the system refuses a call', function () {
  this.timeout(60_000);
  let folder = '';
  let refuse = '';

  before(function () {
    if (spawnSync('cc', ['--version']).status !== 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'mp-refuse-'));
    refuse = join(folder, 'refuse');
    execFileSync('cc', ['-x', 'c', '-', '-o', refuse], { input: launcher });
    const { status } = spawnSync(refuse, ['pidfd_open', String(EPERM), '/bin/true']);
    if (status !== 0) this.skip(); // no filters here
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  const runWithout = (
    call: string,
    errno: number,
    args: readonly string[] = [],
    script: string = attempts,
  ): Promise<ScriptResult> =>
    runScript(script, { node: refuse, nodeFlags: [call, String(errno), process.execPath], args, timeout: 50_000 });

  for (const [name, errno] of [
    ['ENOSYS', ENOSYS],
    ['EPERM', EPERM],
  ] as const) {
    it(`says so and starts nothing: pidfd_open(2), ${name}`, async () => {
      const { stdout, stderr, code, facts } = await runWithout('pidfd_open', errno, ['spawn']);
      const told = stdout + stderr + facts;
      assert.equal(code, 0, told);
      const [support = '', ...lines] = stdout.trimEnd().split('\n');
      const { supported, reason, advice } = JSON.parse(support) as {
        supported: boolean;
        reason: string;
        advice: string;
      };
      assert.equal(supported, false, told);
      assert.match(reason, new RegExp(`pidfd_open.*${name}`));
      assert.match(advice, /seccomp/);
      const refused = 'ERR_MP_START_METHOD';
      assert.deepEqual(lines, [`${refused},${refused},${refused}`, name, '[0,"",0]'], told);
    });
  }

  for (const [name, errno] of [
    ['ENOMEM', ENOMEM],
    ['EAGAIN', EAGAIN],
  ] as const) {
    it(`says so and starts nothing: fork(2), ${name}`, async function () {
      if (process.arch !== 'x64') this.skip();
      const { stdout, stderr, code, facts } = await runWithout('clone', errno);
      const told = stdout + stderr + facts;
      assert.equal(code, 0, told);
      const [support = '', ...lines] = stdout.trimEnd().split('\n');
      const { supported, reason, advice } = JSON.parse(support) as {
        supported: boolean;
        reason: string;
        advice: string;
      };
      assert.equal(supported, false, told);
      assert.match(reason, /^fork: (Cannot allocate memory|Resource temporarily unavailable)/);
      assert.match(advice, /again/);
      const refused = 'ERR_MP_START_METHOD';
      assert.deepEqual(lines, [`${refused},${refused},${refused}`, '[0,"",0]'], told);
    });
  }

  it('forks without clone3(2), as under an older container runtime', async () => {
    const { stdout, stderr, code, facts } = await runWithout('clone3', ENOSYS);
    assert.equal(code, 0, stderr + facts);
    assert.equal(stdout, '{"supported":true}\n7\n', stderr);
  });

  for (const [name, errno] of [
    ['ENOSYS', ENOSYS],
    ['EPERM', EPERM],
  ] as const) {
    it(`waits without futex_waitv(2), ${name}, and mostly sleeps`, async () => {
      const { stdout, stderr, facts } = await runWithout('futex_waitv', errno, [], waits);
      assert.equal(stdout, 'quiet\nset true true true\n', stderr + facts);
    });
  }

  it('says so where /proc is not mounted', async function () {
    if (process.getuid?.() !== 0 || spawnSync('unshare', ['-m', 'true']).status !== 0) this.skip();
    const script = `
      import { forkSupport, Process } from 'posix-multiprocessing';
      console.log(JSON.stringify(forkSupport()));
      const child = new Process({ target: () => {}, startMethod: 'fork' });
      console.log((await child.start().catch((reason) => reason)).code);`;
    const { stdout, stderr, code, facts } = await runScript(script, {
      node: '/usr/bin/env',
      nodeFlags: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$0" "$@"', process.execPath],
    });
    assert.equal(code, 0, stderr + facts);
    const [support = '', error] = stdout.split('\n');
    const { supported, reason, advice } = JSON.parse(support) as { supported: boolean; reason: string; advice: string };
    assert.equal(supported, false);
    assert.match(reason, /\/proc/);
    assert.match(advice, /mount/);
    assert.equal(error, 'ERR_MP_START_METHOD');
  });
});
