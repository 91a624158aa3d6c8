import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'mocha';
import { activeChildren, currentProcess, isMainProcess, Process, parentProcess, Queue } from 'posix-multiprocessing';
import { poll } from 'posix-multiprocessing/posix';

const forEver = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));

async function started(target: () => unknown, options: { daemon?: boolean } = {}): Promise<Process> {
  return new Process({ target, ...options }).start();
}

async function end(child: Process): Promise<void> {
  child.kill();
  await child.join();
  child.close();
}

describe('Process.join', () => {
  it('resolves true at the end, as often as asked', async () => {
    const child = await started(() => {});
    assert.deepEqual(await Promise.all([child.join(), child.join(), child.join({ timeout: 60_000 })]), [
      true,
      true,
      true,
    ]);
    assert.equal(await child.join(), true);
    assert.equal(child.joinSync(), true);
    child.close();
  });

  it('resolves false when the time is up', async () => {
    const child = await started(forEver);
    assert.equal(await child.join({ timeout: 0 }), false);
    assert.equal(await child.join({ timeout: -5 }), false);
    assert.equal(await child.join({ timeout: 20 }), false);
    assert.equal(child.joinSync({ timeout: 20 }), false);
    assert.equal(child.isAlive(), true);
    await end(child);
  });

  it("rejects with the signal's reason when aborted, before and during", async () => {
    const child = await started(forEver);
    const reason = new Error('enough');
    await assert.rejects(child.join({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const joining = child.join({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(joining, reason);
    await end(child);
  });

  it('refuses wrong options', async () => {
    const child = await started(() => {});
    await assert.rejects(child.join({ timeout: '5' as unknown as number }), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(child.join({ timeout: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(child.join({ signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' });
    await child.join();
    child.close();
  });

  it('is an error before the start, and for a process that did not start it', async () => {
    const sibling = await started(forEver);
    await assert.rejects(new Process().join(), { code: 'ERR_MP_PROCESS' });
    assert.throws(() => new Process().joinSync(), { code: 'ERR_MP_PROCESS' });
    const child = await started(async () => {
      const codes = await Promise.all(
        [
          () => sibling.join(),
          async () => sibling.isAlive(),
          async () => sibling.kill(),
          async () => sibling.sentinel,
        ].map((use) => use().then(String, (error: { code: string }) => error.code)),
      );
      process.exit(codes.every((code) => code === 'ERR_MP_PROCESS') ? 0 : 1);
    });
    await child.join();
    assert.equal(child.exitCode, 0);
    assert.equal(sibling.isAlive(), true);
    child.close();
    await end(sibling);
  });
});

describe('signals', () => {
  for (const [method, signal] of [
    ['interrupt', 'SIGINT'],
    ['terminate', 'SIGTERM'],
    ['kill', 'SIGKILL'],
  ] as const) {
    it(`${method}() sends ${signal}`, async () => {
      const child = await started(forEver);
      child[method]();
      await child.join();
      assert.equal(child.exitCode, -constants.signals[signal]);
      child[method](); // no effect on an ended process
      child.close();
    });
  }

  it('is not lost when sent right after the start, whatever listeners the parent has', async () => {
    const listener = (): void => assert.fail('the signal was for the child');
    process.on('SIGTERM', listener);
    try {
      for (let round = 0; round < 30; round++) {
        const child = await started(forEver);
        child.terminate();
        await child.join();
        assert.equal(child.exitCode, -15);
        child.close();
      }
    } finally {
      process.off('SIGTERM', listener);
    }
  });

  it('reaches the listeners of the child', async () => {
    const child = await started(() => {
      process.once('SIGUSR2', () => process.exit(44));
      process.kill(process.pid, 'SIGUSR2');
      return forEver();
    });
    await child.join();
    assert.equal(child.exitCode, 44);
    child.close();
  });

  it('waits with its listener until a call that blocks is over', async () => {
    const asked = new Queue<string>();
    const answers = new Queue<string>();
    const child = await started(async () => {
      let heard = 0;
      process.on('SIGUSR2', () => {
        heard += 1;
      });
      process.kill(process.pid, 'SIGUSR2');
      asked.putSync('go on?');
      const before = `${answers.getSync()}, heard ${heard}`;
      while (heard === 0) await new Promise(setImmediate);
      asked.putSync(`${before}, then ${heard}`);
    });
    assert.equal(await asked.get(), 'go on?');
    await answers.put('yes');
    assert.equal(await asked.get(), 'yes, heard 0, then 1');
    await end(child);
    asked.close();
    answers.close();
  });

  it('is an error before the start', () => {
    for (const method of ['interrupt', 'terminate', 'kill'] as const) {
      assert.throws(() => new Process()[method](), { code: 'ERR_MP_PROCESS' });
    }
  });
});

describe('the end of a child', () => {
  it('leaves no zombie, joined or not', async () => {
    const child = await started(() => {});
    const pid = child.pid ?? 0;
    await child.join();
    assert.throws(() => readFileSync(`/proc/${pid}/stat`), { code: 'ENOENT' });
    child.close();
  });

  it('makes the sentinel poll readable', async () => {
    const child = await started(forEver);
    const { sentinel } = child;
    const ready = (): number => poll([{ fd: sentinel, events: 1 }], { timeout: 0 }).length;
    assert.equal(ready(), 0);
    child.kill();
    await child.join();
    assert.equal(ready(), 1);
    assert.throws(() => new Process().sentinel, { code: 'ERR_MP_PROCESS' });
    child.close();
  });

  it('is seen by isAlive and activeChildren', async () => {
    const child = await started(forEver);
    assert.equal(child.isAlive(), true);
    assert.ok(activeChildren().includes(child));
    assert.equal(child.exitCode, undefined);
    child.kill();
    await child.join();
    assert.equal(child.isAlive(), false);
    assert.ok(!activeChildren().includes(child));
    child.close();
  });
});

describe('Process.close', () => {
  it('is an error while the child runs', async () => {
    const child = await started(forEver);
    assert.throws(() => child.close(), { code: 'ERR_MP_PROCESS' });
    await end(child);
  });

  it('leaves name, daemon and close; all else throws ClosedError', async () => {
    const child = await started(() => {});
    await child.join();
    child.close();
    child.close();
    assert.equal(typeof child.name, 'string');
    assert.equal(child.daemon, false);
    const uses: (() => unknown)[] = [
      () => child.pid,
      () => child.exitCode,
      () => child.sentinel,
      () => child.authKey,
      () => child.isAlive(),
      () => child.kill(),
      () => child.joinSync(),
    ];
    for (const use of uses) assert.throws(use, { code: 'ERR_MP_CLOSED' });
    await assert.rejects(child.join(), { code: 'ERR_MP_CLOSED' });
  });

  it('is allowed before the start, which is then an error', async () => {
    const child = new Process({ target: () => {} });
    child.close();
    await assert.rejects(child.start(), { code: 'ERR_MP_CLOSED' });
  });

  it('happens at the end of an `await using` block, which terminates a child that still runs', async () => {
    let seen: Process;
    {
      await using child = await started(forEver);
      seen = child;
    }
    assert.throws(() => seen.isAlive(), { code: 'ERR_MP_CLOSED' });
  });
});

describe('daemon', () => {
  it('is settable before the start only', async () => {
    const child = new Process({ target: () => {} });
    assert.equal(child.daemon, false);
    child.daemon = true;
    assert.throws(() => {
      child.daemon = 1 as unknown as boolean;
    }, TypeError);
    await child.start();
    assert.throws(
      () => {
        child.daemon = false;
      },
      { code: 'ERR_MP_PROCESS' },
    );
    await child.join();
    child.close();
  });

  it('is inherited from the creator', async () => {
    const child = await started(() => process.exit(new Process().daemon ? 1 : 2), { daemon: true });
    await child.join();
    assert.equal(child.exitCode, 1);
    child.close();
  });
});

describe('who is who', () => {
  it('in the main process', () => {
    const main = currentProcess();
    assert.equal(main, currentProcess());
    assert.equal(main.name, 'MainProcess');
    assert.equal(main.pid, process.pid);
    assert.equal(main.isAlive(), true);
    assert.equal(main.exitCode, undefined);
    assert.equal(main.daemon, false);
    assert.equal(isMainProcess(), true);
    assert.equal(parentProcess(), undefined);
    assert.throws(() => main.joinSync(), { code: 'ERR_MP_PROCESS' });
    assert.throws(() => main.startSync(), { code: 'ERR_MP_PROCESS' });
    main.close();
    assert.equal(main.isAlive(), true);
  });

  it('in a child', async () => {
    const parent = process.pid;
    const child: Process = new Process({
      target: async () => {
        const self = currentProcess();
        assert.equal(self, child);
        assert.equal(self.pid, process.pid);
        assert.equal(process.ppid, parent);
        assert.ok(readFileSync('/proc/self/stat', 'utf8').startsWith(`${process.pid} `));
        assert.equal(self.isAlive(), true);
        assert.equal(isMainProcess(), false);
        assert.equal(parentProcess()?.pid, parent);
        assert.equal(parentProcess()?.name, 'MainProcess');
        assert.equal(parentProcess()?.isAlive(), true);
        assert.equal(await parentProcess()?.join({ timeout: 5 }), false);
        assert.deepEqual(activeChildren(), []);
        assert.throws(() => self.joinSync(), { code: 'ERR_MP_PROCESS' });
        const nested = new Process({ target: () => process.exit(parentProcess()?.name === self.name ? 0 : 1) });
        await nested.start();
        await nested.join();
        process.exit(nested.exitCode === 0 ? 55 : 1);
      },
    });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 55);
    child.close();
  });

  it('nested children carry the numbers of their ancestors', async () => {
    const child: Process = new Process({
      target: () => {
        const own = child.name.split('-')[1];
        process.exit(new Process().name === `Process-${own}:1` && new Process().name === `Process-${own}:2` ? 0 : 1);
      },
    });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
  });

  it('authKey is inherited and can be set', async () => {
    const key = Uint8Array.from([1, 2, 3]);
    const child: Process = new Process({
      target: () => process.exit(Buffer.from(currentProcess().authKey).equals(key) ? 0 : 1),
    });
    assert.deepEqual(Buffer.from(child.authKey), Buffer.from(currentProcess().authKey));
    assert.throws(() => {
      child.authKey = 'secret' as unknown as Uint8Array;
    }, TypeError);
    child.authKey = key;
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
  });
});
