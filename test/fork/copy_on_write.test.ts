import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'mocha';
import { forkSupport, Process, warmup } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';

/** Mappings of this process whose flags, as proc_pid_smaps(5) has them, include all of these. */
const mappings = (...flags: string[]): number =>
  fs
    .readFileSync('/proc/self/smaps', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('VmFlags:') && flags.every((flag) => line.split(' ').includes(flag))).length;

describe('memory shared with a child', function () {
  this.timeout(120_000);

  it('after warmup() stays shared: less than 3 % private when 200 MB are read, less than 15 % after a collection', async () => {
    const { stdout, stderr, facts } = await runScript(
      new URL('../../../bench/copy_on_write/node_driver.mjs', import.meta.url),
      { args: ['200', '--warmup'], nodeFlags: ['--expose-gc'], timeout: 100_000 },
    );
    const told = `${stdout}${stderr}${facts}`;
    const { heapMB, least, exitCodes } = JSON.parse(stdout || '{}') as {
      heapMB: number;
      least: { read: number; collected: number };
      exitCodes: number[];
    };
    assert.ok(heapMB > 180, told);
    assert.deepEqual(exitCodes, [0, 0, 0], told);
    assert.ok(least.read / heapMB < 0.03, told);
    assert.ok(least.collected / heapMB < 0.15, told);
  });

  it("is hidden from other people's forks again: child_process.spawn() copies no page tables of the heap", async () => {
    assert.deepEqual(forkSupport(), { supported: true });
    if (mappings('hg') === 0) return; // a Node whose heap is left where it is
    const hiddenInChild = await inChild(() => mappings('hg', 'dc'));
    assert.equal(hiddenInChild, 0);
    assert.notEqual(mappings('hg', 'dc'), 0);
  });

  it('warmup() leaves all as it was: data, timers, V8 options, and forks', async () => {
    const data = Array.from({ length: 10_000 }, (_, index) => ({ index, text: `item ${index}` }));
    const before = JSON.stringify(data);
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    await warmup();
    await Promise.all([warmup(), warmup()]);
    assert.equal(JSON.stringify(data), before);
    while (ticks === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    clearInterval(timer);
    assert.equal(await inChild(() => JSON.stringify(data) === before), true);
    const child = await new Process({ target: () => warmup().then(() => process.exit(9)) }).start();
    await child.join();
    assert.equal(child.exitCode, 9);
    child.close();
  });

  it('warmup() resolves where fork is not possible', async () => {
    const { stdout, stderr } = await runScript(`
      import { Worker } from 'node:worker_threads';
      new Worker("import('posix-multiprocessing').then(({ warmup }) => warmup()).then(() => console.log('done'))", { eval: true });
    `);
    assert.equal(stdout, 'done\n', stderr);
  });
});
