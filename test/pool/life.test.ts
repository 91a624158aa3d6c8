/** Pools and their workers from the first to the last: options, recycling, ends, and what a program's end means. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'mocha';
import { getContext, InvalidStateError, Pipe, Pool, type PoolOptions } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

const tasksUrl = new URL('./tasks.js', import.meta.url).href;

/** Clock ticks of CPU time. proc_pid_stat(5) */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('the life of a pool', () => {
  let pool: Pool | undefined;

  function make(options: PoolOptions = {}): Pool {
    pool = new Pool({ processes: 1, ...options });
    return pool;
  }

  afterEach(async () => {
    pool?.terminate();
    await pool?.join();
  });

  it('refuses bad options', () => {
    pool = undefined;
    for (const processes of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => new Pool(processes), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => new Pool('2' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Pool({ maxTasksPerChild: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new Pool({ maxMemoryPerChild: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new Pool({ initializer: 3 as unknown as string }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Pool({ initArgs: 3 as unknown as [] }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Pool({ startMethod: 'thread' as 'fork' }), { code: 'ERR_MP_START_METHOD' });
    assert.throws(() => new (getContext('spawn').Pool)({ initializer: () => {} }), { code: 'ERR_MP_TARGET' });
  });

  it('begins with the first task, and ends after close() when all is done', async () => {
    const made = make({ processes: 2 });
    assert.equal(made.processes, 2);
    assert.deepEqual(made.pids, []);
    await assert.rejects(made.join(), InvalidStateError);
    const results = [1, 2, 3].map((x) => made.apply(tasks.square, [x]));
    made.close();
    made.close();
    await assert.rejects(made.apply(tasks.square, [1]), InvalidStateError);
    assert.throws(() => made.imap(tasks.square, [1]), InvalidStateError);
    assert.equal(await made.join(), true);
    assert.deepEqual(await Promise.all(results), [1, 4, 9]);
    assert.deepEqual(made.pids, []);
  });

  it('waits for so long, and can be waited for again', async () => {
    const made = make();
    const [mine, its] = Pipe<number>();
    const running = made.apply(tasks.meet, [its]);
    await mine.recv();
    made.close();
    assert.equal(await made.join({ timeout: 20 }), false);
    assert.equal(await made.join({ timeout: 0 }), false);
    await assert.rejects(made.join({ signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
    await mine.send(1);
    assert.equal(await made.join(), true);
    await running;
    mine.close();
    its.close();
  });

  it('costs no CPU while there is nothing to do', async () => {
    const made = make({ processes: 2 });
    await made.map(tasks.square, [1, 2, 3, 4], { chunkSize: 1 });
    const { pids } = made;
    let before = Number.NaN;
    await waitFor('a second without CPU time', async () => {
      const now = pids.reduce((sum, pid) => sum + cpuTime(pid), 0);
      if (now === before) return true;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return false;
    });
  });

  it('has workers that leave after so many tasks', async () => {
    const made = make({ maxTasksPerChild: 2 });
    const pids: number[] = [];
    for (let round = 0; round < 6; round += 1) pids.push((await made.apply(tasks.whoAmI)).pid);
    assert.equal(new Set(pids).size, 3);
    assert.deepEqual([pids[0], pids[2], pids[4]], [pids[1], pids[3], pids[5]]);
    const more = await made.map(tasks.square, [1, 2, 3, 4, 5, 6, 7], { chunkSize: 1 });
    assert.deepEqual(more, [1, 4, 9, 16, 25, 36, 49]);
  });

  it('has workers that leave when they have too much memory', async () => {
    const made = make({ maxMemoryPerChild: 1 });
    const pids: number[] = [];
    for (let round = 0; round < 3; round += 1) pids.push((await made.apply(tasks.whoAmI)).pid);
    assert.equal(new Set(pids).size, 3);
    const other = new Pool({ processes: 1, maxMemoryPerChild: 2 ** 40 });
    const { pid } = await other.apply(tasks.whoAmI);
    assert.equal((await other.apply(tasks.whoAmI)).pid, pid);
    other.close();
    await other.join();
  });

  it('carries what storages hold into tasks', async () => {
    const made = make();
    const told = await Promise.all([
      tasks.request.run({ id: 1 }, () => made.apply(tasks.tellRequest)),
      tasks.request.run('two', () => made.map(tasks.tellRequest, [1, 2])),
      made.apply(tasks.tellRequest),
    ]);
    assert.deepEqual(told, [{ id: 1 }, ['two', 'two'], undefined]);
  });

  it('begins what is urgent first', async () => {
    const made = make();
    const [mine, its] = Pipe<number>();
    const running = made.apply(tasks.meet, [its]);
    await mine.recv();
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    // The first of them may lie in the worker's ring already.
    const all = [
      made.apply(tasks.square, [0], { priority: 9 }),
      made.apply(tasks.square, [1]).then(note('usual')),
      made.apply(tasks.square, [2], { priority: -1 }).then(note('late')),
      made.apply(tasks.square, [3], { priority: 1 }).then(note('early')),
      made.apply(tasks.square, [4]).then(note('usual too')),
    ];
    await mine.send(1);
    await Promise.all([running, ...all]);
    assert.deepEqual(order, ['early', 'usual', 'usual too', 'late']);
    mine.close();
    its.close();
  });

  it('runs tasks of the same key in the same worker', async () => {
    const made = make({ processes: 2 });
    const seen = new Map<string, Set<number>>();
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const key = `key ${index % 5}`;
        const { pid } = await made.apply(tasks.whoAmI, [], { key });
        seen.set(key, (seen.get(key) ?? new Set()).add(pid));
      }),
    );
    assert.deepEqual(
      [...seen.values()].map(({ size }) => size),
      [1, 1, 1, 1, 1],
    );
    // Its worker's death moves a key, and what waited for that one goes along.
    const [pid] = [...(seen.get('key 1') as Set<number>)] as [number];
    const dying = made.apply(tasks.killYourself, ['SIGKILL'], { key: 'key 1' });
    const waiting = [1, 2, 3].map(() => made.apply(tasks.whoAmI, [], { key: 'key 1' }));
    await assert.rejects(dying, { code: 'ERR_MP_WORKER_DIED' });
    const pids = new Set((await Promise.all(waiting)).map((each) => each.pid));
    assert.equal(pids.size, 1);
    assert(!pids.has(pid));
  });

  it('tells what it has done', async () => {
    const made = make({ processes: 2 });
    await made.map(tasks.square, [1, 2, 3, 4], { chunkSize: 2 });
    await assert.rejects(made.apply(tasks.fail, ['on purpose']));
    const [mine, its] = Pipe<number>();
    const running = made.apply(tasks.meet, [its]);
    await mine.recv();
    const stats = made.stats();
    assert.deepEqual([stats.done, stats.failed, stats.running, stats.queued], [3, 1, 1, 0]);
    assert.equal(stats.runTime.count, 3);
    assert.equal(stats.waitTime.count, 4);
    assert(stats.runTime.max >= stats.runTime.p50 && stats.utilisation >= 0 && stats.utilisation <= 1);
    const busy = stats.workers.filter(({ isBusy }) => isBusy);
    assert.equal(busy.length, 1);
    assert(stats.workers.every(({ pid, memory, name }) => made.pids.includes(pid) && memory > 2 ** 20 && name !== ''));
    await mine.send(1);
    await running;
    mine.close();
    its.close();
  });

  for (const startMethod of ['fork', 'forkserver', 'spawn'] as const) {
    it(`that is left open does not keep a program alive, by '${startMethod}'`, async () => {
      pool = undefined;
      const script = `
        import { Pool } from 'posix-multiprocessing';
        import { square, later } from '${tasksUrl}';
        const pool = new Pool({ processes: 2, startMethod: '${startMethod}' });
        console.log(await pool.map(square, [1, 2, 3]));
        void pool.apply(later, [1]).then(console.log);`;
      const { code, stdout, stderr, timedOut, facts } = await runScript(script);
      assert(!timedOut, facts);
      assert.deepEqual([code, stdout, stderr], [0, '[ 1, 4, 9 ]\n10\n', '']);
    });

    it(`ends with its program, however that ends, by '${startMethod}'`, async () => {
      pool = undefined;
      const script = `
        import { Pool } from 'posix-multiprocessing';
        import { square, spin } from '${tasksUrl}';
        const pool = new Pool({ processes: 2, startMethod: '${startMethod}' });
        await pool.map(square, [1, 2, 3]);
        void pool.apply(spin);
        const look = () => (pool.stats().running === 1 ? process.kill(process.pid, 'SIGKILL') : setTimeout(look, 5));
        look();`;
      // Resolves when nobody has the script's output any more.
      const { signal, timedOut, facts } = await runScript(script);
      assert(!timedOut, facts);
      assert.equal(signal, 'SIGKILL');
    });
  }

  it('lets a program end that has waited for its end twice', async () => {
    pool = undefined;
    const script = `
      import { Pool, ProcessPoolExecutor } from 'posix-multiprocessing';
      import { square } from '${tasksUrl}';
      const pool = new Pool(1);
      console.log(await pool.apply(square, [2]));
      pool.close();
      await pool.join();
      await pool.join();
      const executor = new ProcessPoolExecutor({ maxWorkers: 1 });
      await executor.shutdown();
      await executor.shutdown();`;
    const { code, stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.deepEqual([code, stdout, stderr], [0, '4\n', '']);
  });

  it('leaves Ctrl-C to the program', async () => {
    pool = undefined;
    const script = `
      import { Pool } from 'posix-multiprocessing';
      import { square } from '${tasksUrl}';
      const pool = new Pool({ processes: 1, startMethod: 'fork' });
      process.on('SIGINT', async () => {
        console.log(await pool.apply(square, [3]), pool.pids.length);
        pool.close();
        await pool.join();
        clearInterval(timer);
      });
      const timer = setInterval(() => {}, 1000);
      await pool.apply(square, [2]);
      // As the terminal does it: to everybody.
      for (const pid of [...pool.pids, process.pid]) process.kill(pid, 'SIGINT');`;
    const { code, stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.deepEqual([code, stdout, stderr], [0, '9 1\n', '']);
  });

  it('forks the first template, before which it rehearses, with no descriptor more than later ones', async () => {
    pool = undefined;
    const script = `
      import { readdirSync, readlinkSync } from 'node:fs';
      import { Pool } from 'posix-multiprocessing';
      const kindOf = (fd) => {
        try {
          return [readlinkSync('/proc/self/fd/' + fd).replaceAll(/\\d+/g, '')];
        } catch {
          return []; // the one that lists them
        }
      };
      const kinds = () => readdirSync('/proc/self/fd').flatMap(kindOf).sort().join('\\n');
      const seen = [];
      for (let round = 0; round < 2; round += 1) {
        const pool = new Pool({ processes: 1, startMethod: 'fork' });
        seen.push(await pool.apply(() => kinds()));
        pool.close();
        await pool.join();
      }
      console.log(seen[0] === seen[1] ? 'the same' : seen.join('\\n--\\n'));`;
    const { stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.deepEqual([stdout, stderr], ['the same\n', '']);
  });

  it('uses the fork server where fork is refused, and says so', async () => {
    pool = undefined;
    const script = `
      import { Worker } from 'node:worker_threads';
      import { Pool } from 'posix-multiprocessing';
      import { square } from '${tasksUrl}';
      process.on('warning', ({ code, message }) => console.log(code, /Worker/.test(message)));
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      const pool = new Pool(1);
      const second = new Pool(1);
      console.log(await pool.apply(square, [3]));
      await pool.apply(() => 1).catch(({ code }) => console.log(code));
      await worker.terminate();`;
    const { code, stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), ['MP_POOL_FORKSERVER true', '9', 'ERR_MP_TARGET']);
  });

  // Where process.execPath leads nowhere, no fresh process can be started.
  it('rejects what it was given when it can get no workers, and goes on when it can', async () => {
    pool = undefined;
    const script = `
      import { Pool } from 'posix-multiprocessing';
      import { square } from '${tasksUrl}';
      const { execPath } = process;
      process.execPath = '/there/is/no/node';
      const pool = new Pool({ processes: 3, startMethod: 'spawn' });
      const calls = [pool.apply(square, [2]), pool.map(square, [1, 2, 3], { chunkSize: 1 })];
      for (const { reason } of await Promise.allSettled(calls)) console.log(reason.code);
      process.execPath = execPath;
      console.log(await pool.map(square, [1, 2, 3], { chunkSize: 1 }));
      pool.close();
      await pool.join();`;
    const { stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.equal(stdout, 'ENOENT\nENOENT\n[ 1, 4, 9 ]\n', stderr);
  });

  it('does all with the workers that it has when it can get no more, and does not try without pause', async () => {
    pool = undefined;
    const script = `
      import { Pool } from 'posix-multiprocessing';
      import { square, later } from '${tasksUrl}';
      const { execPath } = process;
      let tries = 0;
      const pool = new Pool({ processes: 3, startMethod: 'spawn' });
      await pool.apply(square, [2]);
      Object.defineProperty(process, 'execPath', { get: () => ((tries += 1), '/there/is/no/node') });
      console.log(await pool.map(later, [1, 2, 3, 4], { chunkSize: 1 }), pool.pids.length);
      console.log(tries > 0, tries < 20);
      pool.close();
      await pool.join();`;
    const { stdout, stderr, timedOut, facts } = await runScript(script);
    assert(!timedOut, facts);
    assert.equal(stdout, '[ 10, 20, 30, 40 ] 1\ntrue true\n', stderr);
  });
});
