import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { describe, it } from 'mocha';
import { getAllStartMethods, getStartMethod, Pipe, Process, type ProcessOptions } from 'posix-multiprocessing';

/** The exit code of a child that runs this. */
async function exitCodeOf(target: () => unknown): Promise<number | undefined> {
  const child = await new Process({ target }).start();
  await child.join();
  const { exitCode } = child;
  child.close();
  return exitCode;
}

describe('Process constructor', () => {
  const refused: [string, unknown, string][] = [
    ['a target that is a number', { target: 5 }, 'ERR_INVALID_ARG_TYPE'],
    ['args that are no array', { target: () => {}, args: 'abc' }, 'ERR_INVALID_ARG_TYPE'],
    ['a name that is no string', { name: 7 }, 'ERR_INVALID_ARG_TYPE'],
    ['a daemon that is no boolean', { daemon: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    ['options that are a function', () => {}, 'ERR_INVALID_ARG_TYPE'],
    ['an unknown start method', { startMethod: 'teleport' }, 'ERR_MP_START_METHOD'],
    ['a module that is not there', { target: '/nowhere/at-all.js#run' }, 'ERR_MP_TARGET'],
  ];
  for (const [what, options, code] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => new Process(options as ProcessOptions<unknown[]>), { code });
    });
  }

  it('names children by class and number, and lets a name be given and changed', () => {
    class Worker extends Process {}
    const first = new Process();
    const second = new Worker();
    assert.match(first.name, /^Process-\d+$/);
    assert.match(second.name, /^Worker-\d+$/);
    assert.equal(Number(second.name.split('-')[1]), Number(first.name.split('-')[1]) + 1);
    const named = new Process({ name: 'indexer' });
    assert.equal(named.name, 'indexer');
    named.name = 'renamed';
    assert.equal(named.name, 'renamed');
    assert.throws(() => {
      named.name = 5 as unknown as string;
    }, TypeError);
  });

  it('has fork as its default start method', () => {
    assert.equal(getStartMethod(), 'fork');
    assert.deepEqual(getAllStartMethods(), ['fork', 'forkserver', 'spawn']);
  });
});

describe('Process.start', () => {
  it('runs a closure with its arguments on a copy of this process', async () => {
    const seen = new Map([['answer', 42]]);
    assert.equal(
      await exitCodeOf(() => {
        seen.set('answer', 7);
        process.exit(seen.get('answer'));
      }),
      7,
    );
    assert.equal(seen.get('answer'), 42);
    const child = await new Process({ target: (a: number, b: number) => process.exit(a * b), args: [6, 9] }).start();
    await child.join();
    assert.equal(child.exitCode, 54);
    child.close();
  });

  it('runs the run() of a subclass, with the fields of the object', async () => {
    class Counter extends Process {
      first = 11;
      override async run(): Promise<void> {
        await new Promise((resolve) => setImmediate(resolve));
        process.exitCode = this.first + 1;
      }
    }
    const child = await new Counter().start();
    await child.join();
    assert.equal(child.exitCode, 12);
    child.close();
  });

  it('awaits the promise of the target, then ends whatever handles are open', async () => {
    assert.equal(
      await exitCodeOf(async () => {
        setInterval(() => {}, 1000);
        await new Promise((resolve) => setTimeout(resolve, 10));
        process.exitCode = 3;
      }),
      3,
    );
  });

  it('runs an exported function of a module, by URL and by path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mp-target-'));
    try {
      const file = join(folder, 'target.mjs');
      writeFileSync(file, 'export default (n) => process.exit(n);\nexport const twice = (n) => process.exit(2 * n);\n');
      for (const [target, code] of [
        [pathToFileURL(file), 5],
        [`${file}#twice`, 10],
        [`${file}#missing`, 1],
      ] as const) {
        const child = await new Process({ target, args: [5] }).start();
        await child.join();
        assert.equal(child.exitCode, code, String(target));
        child.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps the async context of the caller', async () => {
    const storage = new AsyncLocalStorage<number>();
    const child = await storage.run(23, () =>
      new Process({ target: async () => process.exit(await Promise.resolve().then(() => storage.getStore())) }).start(),
    );
    await child.join();
    assert.equal(child.exitCode, 23);
    child.close();
  });

  it('starts many at once, each running its own target once', async () => {
    const children = Array.from({ length: 30 }, (_, index) => new Process({ target: () => process.exit(index) }));
    await Promise.all(children.map((child) => child.start()));
    await Promise.all(children.map((child) => child.join()));
    assert.deepEqual(
      children.map(({ exitCode }) => exitCode),
      children.map((_, index) => index),
    );
    assert.equal(new Set(children.map(({ pid }) => pid)).size, 30);
    for (const child of children) child.close();
  });

  it('runs nothing of the caller in the child: the code after `await start()` runs in the parent only', async () => {
    const pids: number[] = [];
    const children = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const child = await new Process({ target: () => new Promise((resolve) => setTimeout(resolve, 20)) }).start();
        pids.push(process.pid);
        return child;
      }),
    );
    for (const child of children) {
      await child.join();
      assert.equal(child.exitCode, 0);
      child.close();
    }
    assert.deepEqual(new Set(pids), new Set([process.pid]));
    assert.equal(pids.length, 5);
  });

  it('starts a process once', async () => {
    const child = new Process({ target: () => {} });
    const first = child.start();
    await assert.rejects(child.start(), { code: 'ERR_MP_PROCESS' });
    await first;
    await assert.rejects(child.start(), { code: 'ERR_MP_PROCESS' });
    assert.throws(() => child.startSync(), { code: 'ERR_MP_PROCESS' });
    await child.join();
    await assert.rejects(child.start(), { code: 'ERR_MP_PROCESS' });
    child.close();
    await assert.rejects(child.start(), { code: 'ERR_MP_CLOSED' });
  });

  it("refuses to start another process's object", async () => {
    const other = new Process({ target: () => {} });
    const code = await exitCodeOf(async () => {
      const error: unknown = await other.start().catch((reason: unknown) => reason);
      process.exit((error as { code?: string }).code === 'ERR_MP_PROCESS' ? 0 : 1);
    });
    assert.equal(code, 0);
  });
});

describe('Process.startSync', () => {
  it('starts with the state of this very line', () => {
    let state = 1;
    const child = new Process({ target: () => process.exit(state) });
    state = 2;
    child.startSync();
    state = 3;
    assert.equal(typeof child.pid, 'number');
    assert.equal(child.joinSync(), true);
    assert.equal(child.exitCode, 2);
    child.close();
  });

  it('refuses an async target before anything is started', () => {
    const child = new Process({ target: async () => {} });
    assert.throws(() => child.startSync(), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.equal(child.pid, undefined);
    class Async extends Process {
      override async run(): Promise<void> {}
    }
    assert.throws(() => new Async().startSync(), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('ends a child whose target returns a promise all the same with 1', () => {
    const child = new Process({ target: () => Promise.resolve() }).startSync();
    child.joinSync();
    assert.equal(child.exitCode, 1);
    child.close();
  });

  it('works inside async functions, timers and callbacks', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const codes = [await Promise.resolve().then(forkHere), await new Promise<number | undefined>(onTimer), forkHere()];
    assert.deepEqual(codes, [9, 9, 9]);

    function forkHere(): number | undefined {
      const child = new Process({ target: () => process.exit(9) }).startSync();
      child.joinSync();
      const { exitCode } = child;
      child.close();
      return exitCode;
    }
    function onTimer(resolve: (code: number | undefined) => void): void {
      setTimeout(() => resolve(forkHere()), 1);
    }
  });

  it('runs nothing of the caller in the child, finally blocks included', () => {
    let visits = 0;
    let child: Process | undefined;
    try {
      child = new Process({ target: () => 'done' }).startSync();
    } finally {
      visits += 1;
    }
    child.joinSync();
    assert.equal(child.exitCode, 0);
    assert.equal(visits, 1);
    child.close();
  });
});

describe('exit codes', () => {
  const table: [string, () => unknown, number][] = [
    ['a target that returns', () => 'ignored', 0],
    ['a promise that resolves', async () => 5, 0],
    ['process.exit()', () => process.exit(), 0],
    ['process.exit(7)', () => process.exit(7), 7],
    ['process.exit(256)', () => process.exit(256), 0],
    ['process.exit(300)', () => process.exit(300), 44],
    ['process.exit(-1)', () => process.exit(-1), 255],
    ['process.exitCode = 9', () => Object.assign(process, { exitCode: 9 }), 9],
    ['process.exit inside nested calls', () => [1].map(() => [2].map(() => process.exit(21))), 21],
    ['process.exit in a timer', () => new Promise(() => setTimeout(() => process.exit(22), 5)), 22],
    [
      'a listener of exit that sets the code',
      () => void process.on('exit', () => Object.assign(process, { exitCode: 23 })),
      23,
    ],
    ['SIGTERM to itself', () => new Promise(() => process.kill(process.pid, 'SIGTERM')), -15],
    ['SIGKILL to itself', () => new Promise(() => process.kill(process.pid, 'SIGKILL')), -9],
    ['abort', () => process.abort(), -6],
    ['a promise that nothing can settle', () => new Promise(() => {}), 13],
  ];
  for (const [what, target, code] of table) {
    it(`${code} for ${what}`, async () => assert.equal(await exitCodeOf(target), code));
  }

  const throwing: [string, () => unknown][] = [
    ['a throw', () => assert.fail('thrown on purpose')],
    ['a rejection', async () => assert.fail('rejected on purpose')],
    ['a throw of no error', () => Promise.reject('text on purpose')],
    ['an uncaught error in a timer', () => new Promise(() => setTimeout(() => assert.fail('late, on purpose'), 1))],
    ['an unhandled rejection beside', () => new Promise(() => void Promise.reject(new Error('beside, on purpose')))],
  ];
  for (const [what, target] of throwing) {
    it(`1 for ${what}`, async () => assert.equal(await exitCodeOf(target), 1));
  }

  it('0 though the parent has put a guard in the place of process.exit', async () => {
    const exit = process.exit;
    process.exit = () => {
      throw new Error('not here');
    };
    try {
      assert.equal(await exitCodeOf(() => {}), 0);
      assert.equal(await exitCodeOf(async () => {}), 0);
    } finally {
      process.exit = exit;
    }
  });

  it("that of the 'exit' listener that calls process.exit(), each listener having run once", async () => {
    const [here, there] = Pipe();
    const code = await exitCodeOf(() => {
      process.on('exit', () => {
        there.sendSync('heard');
        process.exit(3);
      });
    });
    there.close();
    assert.equal(code, 3);
    assert.equal(await here.recv(), 'heard');
    await assert.rejects(here.recv(), { code: 'ERR_MP_EOF' });
    here.close();
  });
});

describe('a Process object', () => {
  it('shows its state when inspected', async () => {
    const child = new Process({ target: () => process.exit(4), name: 'shown', daemon: true });
    assert.equal(inspect(child), "<Process name='shown' initial daemon>");
    await child.start();
    assert.equal(
      inspect(child)
        .replace(/pid=\d+/, 'pid=N')
        .replace(/stopped exitCode=4/, 'started'),
      "<Process name='shown' pid=N started daemon>",
    );
    await child.join();
    assert.equal(inspect(child).replace(/pid=\d+/, 'pid=N'), "<Process name='shown' pid=N stopped exitCode=4 daemon>");
    child.close();
  });
});
