import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { readThread } from '#internals';
import { runScript } from '../support/run_script.js';

/** As a native addon does that starts a thread when it is loaded. It ends when there is something to read. */
const library = `
  #include <pthread.h>
  #include <stdlib.h>
  #include <unistd.h>

  static void *work(void *unused) {
    char byte;
    read(atoi(getenv("END_OF_THREAD")), &byte, 1);
    return unused;
  }

  __attribute__((constructor)) static void start(void) {
    pthread_t thread;
    pthread_create(&thread, 0, work, 0);
    pthread_setname_np(thread, "of an addon");
    pthread_detach(thread);
  }`;

/** What the scripts of these tests begin with. */
const prelude = `
  import fs from 'node:fs';
  import inspector from 'node:inspector';
  import { Worker } from 'node:worker_threads';
  import { forkSupport, Process } from 'posix-multiprocessing';
  import { pipe } from 'posix-multiprocessing/posix';
  const warnings = [];
  process.on('warning', ({ code, message }) => warnings.push(code + ' ' + message));
  const names = () => fs.readdirSync('/proc/self/task').map((id) => {
    try { return fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim() } catch { return '' }
  });
  const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1)) };
  const { readEnd, writeEnd } = pipe();
  process.env.END_OF_THREAD = String(readEnd);
  const loadAddon = () => { try { process.dlopen({ exports: {} }, process.argv[1]) } catch {} };
  // Nobody is warned about while libuv's pool is too busy to tell its threads: asked again.
  const warned = async () => { while (warnings.length === 0 && reason() === 'supported') await new Promise(setImmediate) };
  const reason = () => { const support = forkSupport(); return support.supported ? 'supported' : support.reason };
`;

describe('threads that a child would lack', function () {
  this.timeout(60_000);
  let folder = '';
  let addon = '';

  before(function () {
    if (spawnSync('cc', ['--version']).status !== 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'mp-threads-'));
    addon = join(folder, 'addon.so');
    execFileSync(
      'cc',
      ['-x', 'c', '-', '-shared', '-fPIC', '-pthread', '-Wl,-z,nodelete', '-D_GNU_SOURCE', '-o', addon],
      {
        input: library,
      },
    );
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  const outcome = async (script: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { code, stdout, stderr, facts } = await runScript(prelude + script, { args: [addon], env, timeout: 50_000 });
    assert.equal(code, 0, stdout + stderr + facts);
    return stdout;
  };

  it("are warned about by name, once, when they are an addon's", async () => {
    const stdout = await outcome(`
      loadAddon();
      for (let round = 0; round < 3; round++) {
        const child = await new Process({ target: () => process.exit(4) }).start();
        await child.join();
        console.log(child.exitCode);
      }
      await warned();
      console.log(warnings.length, warnings[0]);
      fs.writeSync(writeEnd, 'x');`);
    assert.match(stdout, /^4\n4\n4\n1 MP_FOREIGN_THREADS 1 threads [^\n]*'of an addon'[^\n]*\n$/);
  });

  it("are told from Node's own by their age where the numbers of threads begin anew", async function () {
    const namespace = ['unshare', '-pf', '--mount-proc', 'sh', '-c'];
    const begin = 'echo $(($(cat /proc/sys/kernel/pid_max) - $LEFT)) > /proc/sys/kernel/ns_last_pid';
    const env = { ...process.env, LEFT: '50' };
    const able = process.getuid?.() === 0 && spawnSync('env', [...namespace, begin], { env }).status === 0;
    if (!able) this.skip();
    for (const left of [3, 5, 7, 9, 11]) {
      const { code, stdout, stderr, facts } = await runScript(
        `${prelude}
        console.log(reason());
        loadAddon();
        console.log(reason());
        await warned();
        console.log(warnings.join());
        fs.writeSync(writeEnd, 'x');`,
        {
          node: '/usr/bin/env',
          nodeFlags: [...namespace, `${begin} && exec "$0" "$@"`, process.execPath],
          env: { LEFT: String(left) },
          args: [addon],
        },
      );
      assert.equal(code, 0, stdout + stderr + facts);
      assert.match(stdout, /^supported\nsupported\nMP_FOREIGN_THREADS 1 threads [^\n]*\('of an addon'\)[^\n]*\n$/);
    }
  });

  it('are told from those before them when there are as many', async () => {
    const stdout = await outcome(`
      loadAddon();
      console.log(reason());
      fs.writeSync(writeEnd, 'x');
      await until(() => !names().includes('of an addon'));
      const session = new inspector.Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.start');
      await until(() => names().includes('v8:ProfEvntProc'));
      console.log(reason());
      session.post('Profiler.stop');
      await until(() => !names().includes('v8:ProfEvntProc'));
      console.log(reason());`);
    assert.match(stdout, /^supported\na CPU profile is being taken[^\n]*\nsupported\n$/);
  });

  it("are found while libuv's pool is too busy to tell which threads are its own", async () => {
    const stdout = await outcome(
      `
      import { execFileSync } from 'node:child_process';
      const fifo = process.argv[1] + '.fifo';
      execFileSync('mkfifo', [fifo]);
      for (let reads = 0; reads < 4; reads++) fs.readFile(fifo, () => {});
      // Each read blocks in open(2), and what is asked of the pool from here on waits behind four of them.
      const session = new inspector.Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.start');
      await until(() => names().includes('v8:ProfEvntProc'));
      console.log(reason());
      session.post('Profiler.stop');
      await until(() => !names().includes('v8:ProfEvntProc'));
      console.log(reason());
      process.removeAllListeners('worker'); // as one that was made before the library was loaded
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      console.log(reason());
      await worker.terminate();
      console.log(reason(), warnings.length);
      fs.closeSync(fs.openSync(fifo, 'r+'));
      `,
      { UV_THREADPOOL_SIZE: '4' },
    );
    assert.match(stdout, /^a CPU profile[^\n]*\nsupported\na Worker is alive[^\n]*\nsupported 0\n$/);
  });

  it("are none that the kernel runs for libuv's rings, with which a child works as well", async () => {
    const stdout = await outcome(
      `
      let busy = true;
      const read = async () => { while (busy) await fs.promises.readFile('/proc/self/stat'); };
      const reads = Promise.all(Array.from({ length: 8 }, read));
      await fs.promises.readFile('/proc/self/stat');
      for (let round = 0; round < 10; round++) {
        const child = await new Process({ target: async () => {
          const text = await fs.promises.readFile('/proc/self/stat', 'utf8');
          process.exit(text.startsWith(process.pid + ' ') ? 3 : 4);
        } }).start();
        await child.join();
        if (child.exitCode !== 3) console.log(child.exitCode);
      }
      busy = false;
      await reads;
      console.log(warnings);`,
      { UV_USE_IO_URING: '1' },
    );
    assert.equal(stdout, '[]\n');
  });

  it('are in the way again when trace events are turned on again', async () => {
    const { stdout, stderr, code } = await runScript(
      `${prelude}
      import { createTracing } from 'node:trace_events';
      const tracing = createTracing({ categories: ['node.perf'] });
      for (let round = 0; round < 2; round++) {
        tracing.enable();
        console.log(reason());
        tracing.disable();
        console.log(reason());
      }`,
      { nodeFlags: ['--trace-event-file-pattern', join(folder, 'trace.log')] },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^(trace events are on[^\n]*\nsupported\n){2}$/);
  });

  it('are none that have ended: the kernel lists them a moment longer', async () => {
    const fields = (state: string, flags: number): string =>
      `412 (a) b (node) ${state} 1 2 3 0 -1 ${flags} 0 0 0 0 0 0 0 0 20 0 7 0 4711 0`;
    assert.deepEqual(readThread(fields('S', 0x400040)), { id: 412, name: 'a) b (node', started: 4711 });
    assert.equal(readThread(fields('R', 0x400044)), undefined);
    assert.equal(readThread(fields('X', 0x400040)), undefined);
    const stdout = await outcome(`
      for (let round = 0; round < 50; round++) {
        inspector.open(0, '127.0.0.1');
        if (!reason().startsWith('the inspector')) console.log(reason());
        inspector.close();
        if (reason() !== 'supported') console.log(reason());
      }
      await new Promise(setImmediate);
      console.log(warnings);`);
    assert.equal(stdout, '[]\n');
  });
});
