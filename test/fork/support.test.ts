import assert from 'node:assert/strict';
import { once } from 'node:events';
import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import { forkSupport, Process } from 'posix-multiprocessing';
import { fork } from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

async function assertRefused(reason: RegExp): Promise<void> {
  const support = forkSupport();
  assert.equal(support.supported, false);
  assert.match(support.supported ? '' : support.reason, reason);
  assert.ok(!support.supported && support.advice.length > 0);
  const child = new Process({ target: () => {} });
  await assert.rejects(child.start(), { code: 'ERR_MP_START_METHOD', message: reason });
  assert.throws(() => child.startSync(), { code: 'ERR_MP_START_METHOD' });
  assert.throws(() => fork(), { code: 'ERR_MP_START_METHOD' });
  assert.equal(child.pid, undefined);
}

describe('forkSupport', () => {
  it('says yes here, and start() works', async () => {
    assert.deepEqual(forkSupport(), { supported: true });
  });

  it('says no while a Worker is alive, and yes after', async () => {
    const worker = new Worker('require("worker_threads").parentPort.once("message", () => {})', { eval: true });
    await once(worker, 'online');
    await assertRefused(/Worker/);
    worker.postMessage('end');
    await once(worker, 'exit');
    assert.deepEqual(forkSupport(), { supported: true });
  });

  it('says no while the inspector is open', async () => {
    inspector.open(0, '127.0.0.1');
    try {
      await assertRefused(/inspector/);
    } finally {
      inspector.close();
    }
    assert.deepEqual(forkSupport(), { supported: true });
  });

  it('says no in a Worker', async () => {
    const result = await runScript(`
      import { Worker, isMainThread } from 'node:worker_threads';
      const script = "import('posix-multiprocessing').then(({ forkSupport }) => console.log(JSON.stringify(forkSupport())))";
      new Worker(script, { eval: true });
    `);
    assert.equal(result.code, 0, result.stderr);
    const support = JSON.parse(result.stdout) as { supported: boolean; reason: string };
    assert.equal(support.supported, false);
    assert.match(support.reason, /Worker/);
  });
});

describe('a fork that the system refuses', () => {
  it('rejects with EMFILE when the descriptor table is full, starts nothing, and works again after', async () => {
    const { code, stdout, stderr } = await runScript(`
      import fs from 'node:fs';
      import { activeChildren, forkSupport, Process } from 'posix-multiprocessing';
      import { setrlimit } from 'posix-multiprocessing/posix';
      forkSupport();
      setrlimit('nofile', { soft: 64, hard: 64 });
      const filler = [];
      try {
        for (;;) filler.push(fs.openSync('/dev/null'));
      } catch {}
      const child = new Process({ target: () => process.exit(5) });
      for (const free of [0, 1, 2, 3]) {
        const error = await child.start().catch((reason) => reason);
        console.log(error.code, child.pid, activeChildren().length);
        fs.closeSync(filler.pop());
      }
      for (let closed = 0; closed < 8; closed++) fs.closeSync(filler.pop());
      await child.start();
      await child.join();
      console.log(child.exitCode);
    `);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${'EMFILE undefined 0\n'.repeat(4)}5\n`);
  });

  it('rejects with EAGAIN at the limit of processes, and starts nothing', async function () {
    if (process.getuid?.() !== 0) this.skip(); // root alone is free to become somebody with no processes
    const { code, stdout, stderr } = await runScript(`
      import { forkSupport, Process } from 'posix-multiprocessing';
      import { setrlimit } from 'posix-multiprocessing/posix';
      forkSupport();
      await new Promise((resolve) => setTimeout(resolve, 1));
      setrlimit('nproc', { soft: 1, hard: 1 });
      process.setuid(54321);
      const error = await new Process({ target: () => {} }).start().catch((reason) => reason);
      console.log(error.code, error.syscall);
    `);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'EAGAIN fork\n');
  });
});
