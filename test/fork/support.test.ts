import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { describe, it } from 'mocha';
import { forkSupport, Process } from 'posix-multiprocessing';
import { fork } from 'posix-multiprocessing/posix';
import { refusalOf } from '#internals';
import { runScript } from '../support/run_script.js';

async function assertRefused(reason: RegExp): Promise<void> {
  const support = forkSupport();
  assert.equal(support.supported, false);
  assert.match(support.supported ? '' : support.reason, reason);
  assert.ok(!support.supported && support.advice.length > 0);
  const child = new Process({ target: () => {}, startMethod: 'fork' });
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

  it('says no while a CPU profile is being taken', async () => {
    const session = new inspector.Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.start');
    try {
      await assertRefused(/CPU profile/);
    } finally {
      session.post('Profiler.stop');
      session.disconnect();
    }
    assert.deepEqual(forkSupport(), { supported: true });
  });

  it('says no while code runs under the time limit of node:vm', () => {
    const reasons: string[] = [];
    const attempt = (): void => {
      const support = forkSupport();
      if (!support.supported) reasons.push(support.reason);
      assert.throws(() => new Process({ target: () => {}, startMethod: 'fork' }).startSync(), {
        code: 'ERR_MP_START_METHOD',
      });
      assert.throws(() => fork(), { code: 'ERR_MP_START_METHOD' });
    };
    runInNewContext('attempt()', { attempt }, { timeout: 10_000 });
    assert.equal(reasons.length, 1);
    assert.match(reasons[0] ?? '', /time limit/);
    assert.deepEqual(forkSupport(), { supported: true });
  });

  /** What forkSupport() says in a node that was started with these flags, and runs `before` first. */
  const supportIn = async (flags: readonly string[], before = ''): Promise<string> => {
    const { stdout, stderr, code } = await runScript(
      `${before}
       const { forkSupport, Process } = await import('posix-multiprocessing');
       const support = forkSupport();
       const error = await new Process({ target() {}, startMethod: 'fork' }).start().then(() => undefined, (reason) => reason);
       console.log(support.reason);
       if (error?.code !== 'ERR_MP_START_METHOD' || !error.message.includes(support.reason) || !error.message.includes(support.advice))
         console.log('start(): ' + error);
       process.exit();`,
      { nodeFlags: flags },
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('says no with --cpu-prof, --trace-event-categories, --inspect and a loader', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mp-refusals-'));
    try {
      assert.match(await supportIn(['--cpu-prof', `--cpu-prof-dir=${folder}`]), /^a CPU profile [^\n]*\n$/);
      const traces = ['--trace-event-categories', 'v8', '--trace-event-file-pattern', join(folder, 'trace.log')];
      assert.match(await supportIn(traces), /^trace events [^\n]*\n$/);
      assert.match(await supportIn(['--inspect=127.0.0.1:0']), /^the inspector [^\n]*\n$/);
      const loader =
        'data:text/javascript,export const resolve = (specifier, context, next) => next(specifier, context)';
      assert.match(
        await supportIn([
          '--no-warnings',
          '--import',
          `data:text/javascript,import { register } from "node:module"; register(${JSON.stringify(loader)})`,
        ]),
        /^a thread runs the module loader's hooks[^\n]*\n$/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says no while a Worker is alive that was made before the library was imported, unreferenced or not', async () => {
    const before = `
      import { Worker } from 'node:worker_threads';
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      worker.unref();`;
    assert.match(await supportIn([], before), /^a Worker is alive[^\n]*\n$/);
  });

  it("warns once of threads that are not Node's own, and forks all the same", async () => {
    // The thread that has written trace events stays when there is nothing to trace any more.
    const { stdout, stderr, code } = await runScript(
      `
      import { createTracing } from 'node:trace_events';
      import { forkSupport, Process } from 'posix-multiprocessing';
      const warnings = [];
      process.on('warning', ({ name, code, message }) => warnings.push([name, code, /^1 threads/.test(message)].join()));
      console.log(forkSupport().supported);
      const tracing = createTracing({ categories: ['node.perf'] });
      tracing.enable();
      console.log(forkSupport().reason);
      tracing.disable();
      for (let round = 0; round < 3; round++) {
        const child = await new Process({ target: () => process.exit(4) }).start();
        await child.join();
        console.log(child.exitCode);
      }
      // Nobody is warned about while libuv's pool is too busy to tell its threads: asked again.
      while (warnings.length === 0 && forkSupport().supported) await new Promise(setImmediate);
      console.log(warnings.join(' '));
    `,
      { nodeFlags: ['--trace-event-file-pattern', `${tmpdir()}/mp-trace-\${pid}.log`] },
    );
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      'true\ntrace events are on: the thread that writes them does not exist in a child\n4\n4\n4\nForkWarning,MP_FOREIGN_THREADS,true\n',
    );
  });

  it('knows its threads where their numbers begin anew', async function () {
    const largest = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
    for (let left = 4; left < 12; left++) {
      try {
        writeFileSync('/proc/sys/kernel/ns_last_pid', String(largest - 1 - left));
      } catch {
        this.skip(); // for root of this namespace only
      }
      const { stdout, stderr } = await runScript(`
        import { readFile } from 'node:fs/promises';
        import { forkSupport } from 'posix-multiprocessing';
        await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/version')));
        console.log(forkSupport().supported);
      `);
      assert.deepEqual({ stdout, stderr }, { stdout: 'true\n', stderr: '' });
    }
  });

  it('says no right after a Worker was made, before it runs', async () => {
    const worker = new Worker('require("worker_threads").parentPort.once("message", () => {})', { eval: true });
    try {
      await assertRefused(/Worker/);
    } finally {
      worker.postMessage('end');
      await once(worker, 'exit');
    }
  });

  it('says no right after a Worker was made where Node has no thread for SIGUSR1', async function () {
    const flag = '--disable-sigusr1';
    if (!process.allowedNodeEnvironmentFlags.has(flag)) this.skip();
    const script = `
      import { Worker } from 'node:worker_threads';
      import { forkSupport } from 'posix-multiprocessing';
      console.log(forkSupport().supported);
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      console.log(forkSupport().reason);
      process.exit();`;
    for (const how of [{ nodeFlags: [flag] }, { env: { NODE_OPTIONS: flag } }]) {
      const { stdout, stderr } = await runScript(script, how);
      assert.match(stdout, /^true\na Worker is alive: .*\n$/, stderr);
    }
  });

  it('says no of threads that have lower ids than those before them', async function () {
    // The kernel gives the next number that is free, and begins anew at its limit: here in a namespace of its own.
    const own = ['--fork', '--pid', '--mount-proc'];
    const writable = ['sh', '-c', 'echo 20000 > /proc/sys/kernel/ns_last_pid'];
    if (spawnSync('unshare', [...own, ...writable]).status !== 0) this.skip();
    const script = `
      import fs from 'node:fs';
      import inspector from 'node:inspector';
      import { Worker } from 'node:worker_threads';
      import { forkSupport } from 'posix-multiprocessing';
      console.log(forkSupport().supported);
      fs.writeFileSync('/proc/sys/kernel/ns_last_pid', '500');
      const session = new inspector.Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.start');
      const nameOf = (id) => { try { return fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8'); } catch {} };
      while (!fs.readdirSync('/proc/self/task').some((id) => nameOf(id) === 'v8:ProfEvntProc\\n'));
      console.log(forkSupport().reason);
      session.post('Profiler.stop');
      session.disconnect();
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      console.log(forkSupport().reason);
      process.exit();`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync('unshare', [...own, 'sh', '-c', `${writable[2]}; "$@"`, 'sh', ...node], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      encoding: 'utf8',
    });
    assert.match(stdout, /^true\na CPU profile is being taken: .*\na Worker is alive: .*\n$/, stderr);
  });

  it("says no right after a Worker was made while libuv's threads are busy, and can't be asked for their ids", async () => {
    const { stdout, stderr } = await runScript(
      `
      import { execFileSync } from 'node:child_process';
      import fs from 'node:fs';
      import { Worker } from 'node:worker_threads';
      import { forkSupport } from 'posix-multiprocessing';
      const fifo = process.env.TMPDIR + '/mp-fifo-' + process.pid;
      execFileSync('mkfifo', [fifo]);
      console.log(forkSupport().supported);
      const opened = Array.from({ length: 4 }, () => fs.promises.open(fifo, 'r'));
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      console.log(forkSupport().reason);
      fs.closeSync(fs.openSync(fifo, 'w'));
      for (const file of await Promise.all(opened)) await file.close();
      fs.rmSync(fifo);
      await worker.terminate();
      console.log(forkSupport().supported);
    `,
      { env: { TMPDIR: tmpdir() } },
    );
    assert.match(stdout, /^true\na Worker is alive: .*\ntrue\n$/, stderr);
  });

  it('says no where no binary fits this Node, and why', async () => {
    const { stdout, stderr } = await runScript(
      `import fs from 'node:fs';
       import path from 'node:path';
       import { createRequire } from 'node:module';
       // All that loads but the fork addon, as on a Node that is not known.
       const folders = [process.env.MP_BINARY_DIR ?? 'build/Release', 'prebuilds/linux-' + process.arch];
       const real = folders.find((folder) => fs.existsSync(path.join(folder, 'mp.node')));
       const folder = process.argv[1];
       const copy = path.join(folder, 'dist');
       fs.cpSync('dist', copy, { recursive: true });
       fs.cpSync('package.json', path.join(folder, 'package.json'));
       fs.mkdirSync(path.join(folder, 'build/Release'), { recursive: true });
       fs.copyFileSync(path.join(real, 'mp.node'), path.join(folder, 'build/Release/mp.node'));
       delete process.env.MP_BINARY_DIR;
       const { forkSupport, Process } = await import(path.join(copy, 'index.js'));
       console.log(JSON.stringify(forkSupport()));
       const error = await new Process({ target() {}, startMethod: 'fork' }).start().catch((reason) => reason);
       console.log(error.code);`,
      { args: [mkdtempSync(join(tmpdir(), 'mp-unknown-'))] },
    );
    const [support = '', code] = stdout.split('\n');
    const { reason, advice } = JSON.parse(support || '{}') as { reason: string; advice: string };
    assert.match(reason, /no fork addon[\s\S]*ABI/, stderr);
    assert.match(advice, /Node 20, 22, 24 and 26 with glibc/);
    assert.equal(code, 'ERR_MP_START_METHOD');
  });

  it('tries again when somebody kills its trial child', async () => {
    const { stdout, stderr, code } = await runScript(`
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      import { forkSupport, Process } from 'posix-multiprocessing';
      // Kills the first two children of this process but itself, as soon as they are there.
      const killer = spawn(process.execPath, ['--eval', \`
        const fs = require('node:fs');
        const children = () => fs.readFileSync('/proc/\${process.pid}/task/\${process.pid}/children', 'utf8').trim().split(' ').map(Number).filter((pid) => pid > 0 && pid !== process.pid);
        console.log('ready');
        const killed = new Set();
        const until = Date.now() + 10_000;
        while (killed.size < 2 && Date.now() < until) {
          for (const pid of children()) if (!killed.has(pid)) { try { process.kill(pid, 'SIGKILL'); killed.add(pid); } catch {} }
        }
        console.log('killed ' + killed.size);
      \`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      killer.stdout.on('data', (text) => { said += text; });
      await once(killer.stdout, 'data');
      // A child that has much to collect lives long enough to be caught.
      const heap = Array.from({ length: 2_000_000 }, (_, index) => ({ index }));
      console.log(forkSupport(), heap.length);
      if (killer.exitCode === null) await once(killer, 'exit');
      console.log(said.trim().split('\\n').at(-1));
      const child = await new Process({ target: () => process.exit(4) }).start();
      await child.join();
      console.log(child.exitCode);
    `);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^{ supported: true } 2000000\nkilled [12]\n4\n$/, stderr);
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

  it('is no verdict for good: at the limit of processes the first time, possible afterwards', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const { code, stdout, stderr } = await runScript(`
      import { forkSupport, Process } from 'posix-multiprocessing';
      import { setrlimit } from 'posix-multiprocessing/posix';
      setrlimit('nproc', { soft: 1, hard: 1000 });
      process.setuid(54321);
      const first = forkSupport();
      console.log(first.supported, /Resource temporarily unavailable/.test(first.reason), first.advice !== '');
      setrlimit('nproc', { soft: 1000, hard: 1000 });
      console.log(forkSupport());
      const child = await new Process({ target: () => process.exit(6) }).start();
      await child.join();
      console.log(child.exitCode);
    `);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'false true true\n{ supported: true }\n6\n');
  });

  it('is refused with a remedy when the kernel has no memory for it', () => {
    const refused = refusalOf(Object.assign(new Error('ENOMEM'), { code: 'ENOMEM' })) as Error & { code: string };
    assert.equal(refused.code, 'ERR_MP_START_METHOD');
    assert.match(refused.message, /ENOMEM.*Remedy: /);
    assert.equal((refused.cause as { code: string }).code, 'ENOMEM');
    const other = new Error('something else');
    assert.equal(refusalOf(other), other);
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
      const error = await new Process({ target: () => {}, startMethod: 'fork' }).start().catch((reason) => reason);
      console.log(error.code, error.cause.code, error.cause.syscall);
      console.log(error.message);
    `);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ERR_MP_START_METHOD EAGAIN fork\n.*limit of processes.*Remedy: .*RLIMIT_NPROC/);
  });
});
