import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import timers from 'node:timers/promises';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { descriptorsOf } from '../support/processes.js';
import { runScript } from '../support/run_script.js';

async function assertForks(ways: readonly (() => Promise<Process>)[]): Promise<void> {
  const children = await Promise.all(ways.map((start) => start()));
  for (const child of children) {
    await child.join();
    assert.equal(child.exitCode, 17);
    child.close();
  }
}

const make = (): Process => new Process({ target: () => process.exit(17) });
const start = (): Promise<Process> => make().start();
const startSync = async (): Promise<Process> => make().startSync();

describe('a fork may be asked for anywhere:', function () {
  this.timeout(120_000);

  for (const [how, go] of [
    ['start()', start],
    ['startSync()', startSync],
  ] as const) {
    it(`${how} in async functions, timers, ticks, streams, listeners and generators`, async () => {
      const inCallback = (schedule: (callback: () => void) => void): (() => Promise<Process>) => {
        return () => new Promise((resolve) => schedule(() => resolve(go())));
      };
      await assertForks([
        go,
        async () => {
          await timers.setTimeout(1);
          return go();
        },
        inCallback((callback) => setTimeout(callback, 1)),
        inCallback(setImmediate),
        inCallback(process.nextTick),
        inCallback(queueMicrotask),
        inCallback((callback) => fs.stat('/', callback)),
        inCallback((callback) => pbkdf2('secret', 'salt', 10, 16, 'sha256', callback)),
        inCallback((callback) => new EventEmitter().once('event', callback).emit('event')),
        inCallback((callback) => void spawn('true').once('exit', callback)),
        inCallback((callback) => {
          process.once('SIGUSR2', callback);
          process.kill(process.pid, 'SIGUSR2');
        }),
        async () => {
          let child: Promise<Process> | undefined;
          const sink = new Writable({
            write(_chunk, _encoding, done) {
              child = go();
              done();
            },
          });
          await pipeline(Readable.from(['x']), sink);
          return child as Promise<Process>;
        },
        async () => {
          async function* generate(): AsyncGenerator<Process> {
            yield go();
          }
          for await (const child of generate()) return child;
          throw new Error('unreachable');
        },
      ]);
    });
  }

  it('fifty at once, from one turn', async () => {
    await assertForks(Array.from({ length: 50 }, () => start));
  });

  it('at the top level of a module', async () => {
    const { stdout, stderr } = await runScript(`
      import { Process } from 'posix-multiprocessing';
      const child = await new Process({ target: () => process.exit(17) }).start();
      const other = new Process({ target: () => process.exit(18) }).startSync();
      await child.join();
      await other.join();
      console.log(child.exitCode, other.exitCode);
    `);
    assert.equal(stdout, '17 18\n', stderr);
  });

  it('during a storm of signals: the parent hears each of its own, a child none', async () => {
    const { code, stdout, stderr, facts } = await runScript(
      `
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      import { onFork, Process } from 'posix-multiprocessing';
      const SIGNALS = 400;
      let heard = 0;
      let ghosts = 0;
      process.on('SIGUSR2', () => { heard += 1; });
      process.on('SIGWINCH', () => {});
      let heardBefore = 0;
      onFork({ before: () => { heardBefore = heard; } });
      // Another process sends the next when the last was heard: standard signals of one kind don't queue.
      const sender = spawn(process.execPath, ['--eval', \`
        process.stdin.on('data', () => { process.kill(\${process.pid}, 'SIGWINCH'); process.kill(\${process.pid}, 'SIGUSR2'); });
      \`], { stdio: ['pipe', 'ignore', 'inherit'] });
      const stormed = (async () => {
        for (let sent = 1; sent <= SIGNALS; sent++) {
          sender.stdin.write('x');
          while (heard < sent) await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      let over = false;
      void stormed.then(() => { over = true; });
      let forks = 0;
      while (!over || forks < 100) {
        const child = await new Process({ target: async () => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          process.exit(heard === heardBefore ? 0 : 1);
        } }).start();
        await child.join();
        if (child.exitCode !== 0) ghosts += 1;
        child.close();
        forks += 1;
      }
      sender.kill();
      await once(sender, 'exit');
      console.log(heard, ghosts);
    `,
      { timeout: 100_000 },
    );
    assert.equal(code, 0, stderr + facts);
    assert.equal(stdout, '400 0\n', stderr);
  });

  it("while libuv's pool is saturated, and its work ends in the parent once", async () => {
    let done = 0;
    const work = Array.from(
      { length: 200 },
      () =>
        new Promise<void>((resolve) =>
          pbkdf2('secret', 'salt', 20_000, 32, 'sha256', () => {
            done += 1;
            resolve();
          }),
        ),
    );
    await assertForks(Array.from({ length: 20 }, () => start));
    await Promise.all(work);
    assert.equal(done, 200);
  });

  it('beside a hundred child_process.spawn: every end is reported once', async () => {
    let ends = 0;
    const spawned = Array.from({ length: 100 }, async (_, index) => {
      const child = spawn('sh', ['-c', `exit ${index}`], { stdio: 'ignore' });
      child.on('exit', () => {
        ends += 1;
      });
      const [code] = (await once(child, 'exit')) as [number];
      assert.equal(code, index);
    });
    await assertForks(Array.from({ length: 100 }, () => start));
    await Promise.all(spawned);
    assert.equal(ends, 100);
  });

  it('again and again: descriptors and memory do not grow with the forks', async () => {
    const round = async (): Promise<void> => {
      const child = await start();
      await child.join();
      child.close();
    };
    for (let warm = 0; warm < 20; warm++) await round();
    globalThis.gc?.();
    const [descriptors, memory] = [descriptorsOf('self').size, process.memoryUsage().rss];
    for (let count = 0; count < 300; count++) await round();
    globalThis.gc?.();
    assert.equal(descriptorsOf('self').size, descriptors);
    assert.ok(process.memoryUsage().rss < memory + (24 << 20), `${memory} before, ${process.memoryUsage().rss} after`);
  });
});
