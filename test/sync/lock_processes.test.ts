import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Process } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { end, freshName, isFree, withLock, withWords } from './locks.js';

describe('a Lock between processes', () => {
  it('is not held by a child when its parent holds it; the child may release it all the same', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      const seen = await inChild(async () => {
        const before = [lock.tryAcquire(), await lock.acquire({ timeout: 5 }), lock.owner];
        lock.release();
        return [...before, lock.tryAcquire(), lock.owner === process.pid, lock.release()];
      });
      assert.deepEqual(seen, [false, false, process.pid, true, true, null]);
      assert.ok(isFree(lock));
    });
  });

  it('lets one in at a time, whoever blocks and whoever awaits', async () => {
    await withLock(async (lock) => {
      await withWords(async (words) => {
        // Two steps that are only right together when nobody comes in between.
        const step = (): void => {
          const seen = words[0] as number;
          Atomics.add(words, 1, 1);
          words[0] = seen + 1;
        };
        const blocking = (): void => {
          for (let round = 0; round < 500; round += 1) lock.useSync(step);
        };
        const awaiting = async (): Promise<void> => {
          for (let round = 0; round < 500; round += 1) await lock.use(step);
        };
        const children = [blocking, awaiting, blocking, awaiting].map((target) => new Process({ target }));
        await Promise.all(children.map((child) => child.start()));
        await awaiting();
        for (const child of children) {
          await child.join();
          assert.equal(child.exitCode, 0);
          child.close();
        }
        assert.deepEqual([...words.subarray(0, 2)], [2500, 2500]);
      });
    });
  });

  it('passes from the parent to one that waits and back', async () => {
    await withLock(async (ours) => {
      await withLock(async (theirs) => {
        ours.acquireSync();
        theirs.acquireSync();
        const child = await new Process({
          target: () => {
            for (let round = 0; round < 100; round += 1) {
              theirs.acquireSync();
              ours.release();
            }
          },
        }).start();
        for (let round = 0; round < 100; round += 1) {
          theirs.release();
          if (round % 2 === 0) await ours.acquire();
          else ours.acquireSync();
        }
        await child.join();
        assert.equal(child.exitCode, 0);
        child.close();
      });
    });
  });

  it('does not go to those who died while they waited', async () => {
    await withLock(async (lock) => {
      await withWords(async (words) => {
        lock.acquireSync();
        const wait = (target: () => unknown): Process => new Process({ target });
        const waiters = [
          wait(() => {
            Atomics.add(words, 0, 1);
            lock.acquireSync();
          }),
          wait(() => {
            const wait = lock.acquire();
            Atomics.add(words, 0, 1);
            return wait;
          }),
        ];
        for (const waiter of waiters) await waiter.start();
        await waitFor('both to wait', () => words[0] === 2);
        for (const waiter of waiters) await end(waiter);
        lock.release();
        assert.ok(isFree(lock));
      });
    });
  });
});

describe('a fork while somebody awaits a Lock', () => {
  it('leaves the waiters to the parent', async () => {
    await withLock(async (lock) => {
      lock.acquireSync();
      let settled = 0;
      const waits = [lock.acquire(), lock.acquire({ timeout: 60_000 })];
      for (const wait of waits) void wait.then(() => (settled += 1));
      const seen = await inChild(async () => {
        const got = await lock.acquire({ timeout: 5 });
        return { got, settled, owner: lock.owner };
      });
      assert.deepEqual(seen, { got: false, settled: 0, owner: process.pid });
      for (const wait of waits) {
        lock.release();
        assert.equal(await wait, true);
      }
    });
  });

  it('may come at any moment of the thread that waits', async () => {
    await withLock(async (lock) => {
      let busy = true;
      const work = (async () => {
        while (busy) await Promise.all([lock.use(() => {}), lock.use(() => {})]);
      })();
      for (let round = 0; round < 20; round += 1) {
        await inChild(async () => {
          await Promise.all([lock.use(() => {}), lock.use(() => {})]);
          lock.useSync(() => {});
        });
      }
      busy = false;
      await work;
      assert.ok(isFree(lock));
    });
  });

  it('goes on in both after posix.fork()', async () => {
    const script = `
      import { Lock } from 'posix-multiprocessing';
      import { fork, waitpid } from 'posix-multiprocessing/posix';
      const lock = new Lock();
      lock.acquireSync();
      const wait = lock.acquire().then(() => 'here');
      const pid = fork();
      if (pid === 0) {
        const got = await Promise.race([wait, lock.acquire({ timeout: 20 })]);
        process.exit(got === false ? 7 : 1);
      }
      const { exitCode } = waitpid(pid);
      lock.release();
      console.log(exitCode, await wait, lock.owner === process.pid);`;
    const { code, stdout, stderr, facts } = await runScript(script);
    assert.deepEqual([code, stdout], [0, '7 here true\n'], stderr + facts);
  });
});

describe('a Worker that is terminated', () => {
  it('while it awaits a Lock does not take it along, nor when it has come too late', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const name = process.argv[1];
      const start = async (whenWaiting) => {
        const source = \`
          import('posix-multiprocessing').then(({ Lock }) => {
            const lock = new Lock({ name: '\${name}', persist: true });
            const wait = lock.acquire();
            require('node:worker_threads').parentPort.postMessage('waits');
            \${whenWaiting}
          });\`;
        const worker = new Worker(source, { eval: true, execArgv: [] });
        await once(worker, 'message');
        return worker;
      };
      // Before this thread loads the library: then the Worker's end would unload it. It has got the lock.
      await (await start('')).terminate();
      const { Lock } = await import('posix-multiprocessing');
      const lock = new Lock({ name });
      lock.release();
      for (let round = 0; round < 2; round += 1) {
        lock.acquireSync();
        const waiting = await start('');
        await waiting.terminate();
        lock.release();
        if (!lock.tryAcquire()) console.log('taken along');
        const blocked = await start('for (;;);');
        lock.release();
        while (!lock.locked) await new Promise((resolve) => setTimeout(resolve, 1));
        await blocked.terminate();
        if (lock.locked) console.log('not given back');
      }
      lock.unlink();`;
    const { code, stdout, stderr, facts } = await runScript(script, { args: [freshName()] });
    assert.deepEqual([code, stdout], [0, ''], stderr + facts);
  });
});

describe('a Worker that alone has loaded the library', () => {
  it('may end while its thread still waits', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const source = \`
        import('posix-multiprocessing').then(({ Lock }) => {
          const lock = new Lock();
          lock.acquireSync();
          lock.acquire();
          require('node:worker_threads').parentPort.postMessage('waits');
        });\`;
      for (let round = 0; round < 5; round += 1) {
        const worker = new Worker(source, { eval: true, execArgv: [] });
        await once(worker, 'message');
        await worker.terminate();
      }
      // The threads end at their next look at the lock.
      await new Promise((resolve) => setTimeout(resolve, 150));
      console.log('alive');`;
    const { code, signal, stdout, stderr } = await runScript(script);
    assert.deepEqual([code, signal, stdout], [0, null, 'alive\n'], stderr);
  });
});
