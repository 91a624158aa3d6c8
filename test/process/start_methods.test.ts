/** What holds whatever the start method is. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'mocha';
import {
  currentProcess,
  getAllStartMethods,
  getContext,
  Pipe,
  Process,
  Queue,
  type StartMethod,
  setForkserverPreload,
  type Target,
  wait,
} from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

const tasksUrl = new URL('./tasks.js', import.meta.url);

const hasEnded = (pid: number): boolean => {
  try {
    return /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

for (const startMethod of getAllStartMethods()) suite(startMethod);

function suite(startMethod: StartMethod): void {
  const isFresh = startMethod !== 'fork';

  async function start(target: Target, ...args: unknown[]): Promise<Process> {
    return new Process({ target, args, startMethod }).start();
  }

  /** What the child sends, which then has to end well. */
  async function reply<T>(target: Target, ...args: unknown[]): Promise<T> {
    const [here, there] = Pipe();
    using _here = here;
    const child = await start(target, ...args, there);
    there.close();
    const value = await here.recv();
    await child.join();
    assert.equal(child.exitCode, 0);
    child.close();
    return value as T;
  }

  async function exitCodeOf(target: Target, ...args: unknown[]): Promise<number | undefined> {
    const child = await start(target, ...args);
    await child.join();
    const { exitCode } = child;
    child.close();
    return exitCode;
  }

  describe(`start method '${startMethod}'`, () => {
    after(stopForkServer);

    it('runs a function in another process that knows who it is', async () => {
      const parent = currentProcess();
      const self = await reply<tasks.Self>(tasks.describeSelf);
      assert.notEqual(self.pid, process.pid);
      assert.equal(self.isMain, false);
      assert.deepEqual(self.parent, { pid: process.pid, name: parent.name, isAlive: true });
      assert.equal(self.ppid === process.pid, startMethod !== 'forkserver');
      assert.equal(self.authKey, Buffer.from(parent.authKey).toString('hex'));
      assert.deepEqual(self.argv, process.argv);
      assert.equal(self.stdin, '');
    });

    it('has the environment and the directory of the moment of start()', async () => {
      await exitCodeOf(tasks.exitWith, 0); // so that a server would be warm, with what was before
      const directory = process.cwd();
      process.env['MP_TEST_VARIABLE'] = 'set late';
      process.chdir('/tmp');
      try {
        const self = await reply<tasks.Self>(tasks.describeSelf);
        assert.equal(self.variable, 'set late');
        assert.equal(self.directory, '/tmp');
      } finally {
        delete process.env['MP_TEST_VARIABLE'];
        process.chdir(directory);
      }
    });

    if (isFresh) {
      it('has no descriptor that belongs to somebody else', async () => {
        const file = openSync(fileURLToPath(import.meta.url), 'r');
        try {
          const { descriptors } = await reply<tasks.Self>(tasks.describeSelf);
          assert.deepEqual(
            descriptors.filter((name) => name === fileURLToPath(import.meta.url)),
            [],
          );
        } finally {
          closeSync(file);
        }
      });
    }

    it('finds a target by module: as URL, as path, by default', async () => {
      assert.equal(await exitCodeOf(new URL('#exitWith', tasksUrl), 5), 5);
      assert.equal(await exitCodeOf(`${fileURLToPath(tasksUrl)}#exitWith`, 6), 6);
      assert.equal(await reply(tasksUrl), 'the default export');
    });

    it('starts a subclass with its own properties', async () => {
      const [here, there] = Pipe<string>();
      using _here = here;
      const greeter = new tasks.Greeter('world', there);
      greeter.greeting = 'good evening';
      await withMethod(greeter, startMethod);
      there.close();
      assert.equal(await here.recv(), 'good evening world, said greeter');
      await greeter.join();
      assert.equal(greeter.exitCode, 0);
      greeter.close();
    });

    const codes: [string, Target, number][] = [
      ['7 for process.exit(7)', tasks.exitWith, 7],
      ['1 for one that throws', tasks.fail, 1],
      ['1 for one that rejects', tasks.failLate, 1],
    ];
    for (const [what, target, code] of codes) {
      it(`ends with ${what}`, async () => assert.equal(await exitCodeOf(target, code), code));
    }

    it('ends with -s for signal s, and its sentinel says so', async () => {
      const child = await start(tasks.forEver);
      assert.equal(child.isAlive(), true);
      assert.equal(await child.join({ timeout: 0 }), false);
      assert.equal(child.exitCode, undefined);
      child.kill();
      assert.deepEqual(await wait([child.sentinel]), [child.sentinel]);
      assert.equal(await child.join(), true);
      assert.equal(child.exitCode, -9);
      child.close();
      const other = await start(tasks.forEver);
      other.terminate();
      assert.equal(other.joinSync(), true);
      assert.equal(other.exitCode, -15);
      other.close();
    });

    it('takes arguments of many megabytes', async () => {
      const bytes = randomBytes(30_000_000);
      assert.deepEqual(await reply(tasks.measure, bytes), [bytes.length, bytes.at(-1)]);
    });

    it('takes queues, shared by both', async () => {
      using numbers = new Queue<number>();
      using sum = new Queue<number>();
      const child = await start(tasks.addUp, numbers, sum);
      for (let number = 1; number <= 100; number += 1) await numbers.put(number);
      numbers.end();
      assert.equal(await sum.get(), 5050);
      await child.join();
      child.close();
    });

    it('starts children of children, numbered along the way', async () => {
      const names = await reply<string[]>(tasks.nest, 2);
      assert.match(names[0] as string, /^Process-\d+$/);
      assert.deepEqual(names, [names[0], `${names[0]}:1`, `${names[0]}:1:1`]);
    });

    it('starts synchronously, too', () => {
      const child = new Process({ target: tasks.exitWith, args: [8], startMethod }).startSync();
      assert.equal(child.joinSync(), true);
      assert.equal(child.exitCode, 8);
      child.close();
    });

    it('ends daemons with a parent that is killed', async () => {
      const [here, there] = Pipe<number>();
      using _here = here;
      const parent = await start(tasks.orphan, there);
      there.close();
      const daemon = await here.recv();
      parent.kill();
      await parent.join();
      parent.close();
      await waitFor('the daemon to end', () => hasEnded(daemon));
    });

    if (isFresh) {
      it('refuses a closure before anything is started, with the lines that mend it', async () => {
        const closure = function task(): void {};
        const child = new Process({ target: closure, startMethod });
        await assert.rejects(child.start(), (error: Error & { code: string }) => {
          assert.equal(error.code, 'ERR_MP_TARGET');
          assert.match(error.message, /'task'[\s\S]*export const \{ task \} = importable\(import\.meta, \{/);
          return true;
        });
        assert.throws(() => child.startSync(), { code: 'ERR_MP_TARGET' });
        assert.equal(child.pid, undefined);
      });

      it('refuses an argument that can not travel, and leaves nothing behind', async () => {
        const child = new Process({ target: tasks.exitWith, args: [(() => {}) as unknown as number], startMethod });
        await assert.rejects(child.start(), { code: 'ERR_MP_SERIALIZE' });
        assert.throws(() => child.startSync(), { code: 'ERR_MP_SERIALIZE' });
      });
    }
  });
}

/** Subclasses have no option for it: started while it is the default. */
async function withMethod(child: Process, method: StartMethod): Promise<void> {
  const { getStartMethod, setStartMethod } = await import('posix-multiprocessing');
  const before = getStartMethod();
  setStartMethod(method, { force: true });
  try {
    await child.start();
  } finally {
    setStartMethod(before, { force: true });
  }
}

const tasksImport = `import * as tasks from ${JSON.stringify(tasksUrl.href)};`;

describe('a fresh process', () => {
  it('runs no more of the main module than what it imports from it', async () => {
    const { stdout, code } = await runScript(`${tasksImport}
      import { Process } from 'posix-multiprocessing';
      console.log('main');
      for (const startMethod of ['spawn', 'forkserver']) {
        const child = await new Process({ target: tasks.exitWith, args: [0], startMethod }).start();
        await child.join();
        console.log(child.exitCode);
      }
    `);
    assert.equal(code, 0);
    assert.equal(stdout, 'main\n0\n0\n');
  });

  it('takes over the options of this node', async () => {
    const { stdout } = await runScript(
      `import { Process } from 'posix-multiprocessing';
       for (const startMethod of ['spawn', 'forkserver']) {
         const target = 'data:text/javascript,export default () => console.log(Error.stackTraceLimit)';
         const child = await new Process({ target, startMethod }).start();
         await child.join();
       }`,
      { nodeFlags: ['--stack-trace-limit=7'] },
    );
    assert.equal(stdout, '7\n7\n');
  });

  it('may start none while its modules are imported', async () => {
    const module = `import { Process, isMainProcess } from 'posix-multiprocessing';
      console.log(isMainProcess());
      export default () => {};
      await new Process({ target: () => {} }).start();`;
    const { stdout, stderr } = await runScript(`
      import { Process } from 'posix-multiprocessing';
      import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
      const folder = mkdtempSync('out/bootstrap-');
      writeFileSync(folder + '/module.mjs', ${JSON.stringify(module)});
      const child = await new Process({ target: folder + '/module.mjs', startMethod: 'spawn' }).start();
      await child.join();
      rmSync(folder, { recursive: true });
      console.log(child.exitCode);
    `);
    assert.equal(stdout, 'false\n1\n');
    assert.match(stderr, /ERR_MP_PROCESS/);
  });

  it('that can not be executed is the error of start()', async () => {
    const { stdout } = await runScript(`${tasksImport}
      import { Process } from 'posix-multiprocessing';
      process.execPath = '/nowhere/node';
      for (const startMethod of ['spawn', 'forkserver']) {
        const child = new Process({ target: tasks.exitWith, args: [0], startMethod });
        await child.start().catch((error) => console.log(error.code, error.syscall, child.pid));
        try { child.startSync(); } catch (error) { console.log(error.code); }
      }
    `);
    assert.equal(stdout, 'ENOENT posix_spawn undefined\nENOENT\n'.repeat(2));
  });

  it('that dies before it has its arguments rejects start()', async () => {
    const { stdout } = await runScript(
      `${tasksImport}
      import { Process } from 'posix-multiprocessing';
      const child = new Process({ target: tasks.measure, args: [new Uint8Array(1e7)], startMethod: 'spawn' });
      await child.start().catch((error) => console.log(error.code, error.message.includes('ended with 1')));
      console.log(child.pid);
    `,
      {
        env: {
          NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('if (/fresh_main/.test(process.argv[1])) process.exit(1)')}`,
        },
      },
    );
    assert.equal(stdout, 'ERR_MP_PROCESS true\nundefined\n');
  });
});

describe('the fork server', () => {
  after(stopForkServer);

  const serverOf = async (): Promise<number> => {
    const [here, there] = Pipe<tasks.Self>();
    const child = await new Process({ target: tasks.describeSelf, args: [there], startMethod: 'forkserver' }).start();
    there.close();
    const { ppid } = await here.recv();
    await child.join();
    child.close();
    here.close();
    return ppid;
  };

  it('is one for all, minds no Ctrl-C, and is started again when it has died', async () => {
    const server = await serverOf();
    assert.equal(await serverOf(), server);
    process.kill(server, 'SIGINT');
    assert.equal(await serverOf(), server);
    process.kill(server, 'SIGKILL');
    await waitFor('the server to end', () => hasEnded(server));
    const second = await serverOf();
    assert.notEqual(second, server);
  });

  it('that is killed leaves its children alive, whose exit code nobody knows', async () => {
    const server = await serverOf();
    const child = await new Process({ target: tasks.forEver, startMethod: 'forkserver' }).start();
    process.kill(server, 'SIGKILL');
    await waitFor('the server to end', () => hasEnded(server));
    assert.equal(child.isAlive(), true);
    child.terminate();
    await child.join();
    assert.equal(child.exitCode, 255);
    child.close();
  });

  it('imports what is to be preloaded once, in itself', async () => {
    const { stdout, code } = await runScript(`${tasksImport}
      import { Process, setForkserverPreload } from 'posix-multiprocessing';
      setForkserverPreload([new URL('data:text/javascript,globalThis.warm = process.pid; console.log("preloaded")')]);
      const target = 'data:text/javascript,export default () => console.log(globalThis.warm === process.ppid)';
      for (const _ of [1, 2]) {
        const child = await new Process({ target, startMethod: 'forkserver' }).start();
        await child.join();
      }
    `);
    assert.equal(code, 0);
    assert.equal(stdout, 'preloaded\ntrue\ntrue\n');
  });

  it('is gone when the program is gone, however that ended', async () => {
    for (const end of ['process.exit()', "process.kill(process.pid, 'SIGKILL')"]) {
      const { stdout } = await runScript(`${tasksImport}
        import { Process, Pipe } from 'posix-multiprocessing';
        const [here, there] = Pipe();
        const child = await new Process({ target: tasks.describeSelf, args: [there], startMethod: 'forkserver' }).start();
        console.log((await here.recv()).ppid);
        await child.join();
        ${end};
      `);
      const server = Number(stdout);
      assert.ok(server > 0);
      await waitFor('the server to end', () => hasEnded(server));
    }
  });

  it('refuses modules to preload that are not there', () => {
    assert.throws(() => setForkserverPreload(['./nowhere.mjs']), { code: 'ERR_MP_TARGET' });
    assert.throws(() => setForkserverPreload('x' as unknown as string[]), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => setForkserverPreload([5 as unknown as string]), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('getContext', () => {
  after(stopForkServer);

  it('binds everything to a start method, unless an option names another', async () => {
    for (const method of getAllStartMethods()) {
      const context = getContext(method);
      assert.equal(getContext(method), context);
      assert.equal(context.getStartMethod(), method);
      assert.equal('setStartMethod' in context, false);
      using numbers = new context.Queue<number>();
      using sum = new Queue<number>();
      const child = new context.Process({ target: tasks.addUp, args: [numbers, sum] });
      assert.ok(child instanceof Process);
      assert.match(child.name, /^Process-/);
      await child.start();
      await numbers.put(4);
      numbers.end();
      assert.equal(await sum.get(), 4);
      await child.join();
      child.close();
    }
    const other = new (getContext('spawn').Process)({ target: () => process.exit(3), startMethod: 'fork' });
    await other.start();
    await other.join();
    assert.equal(other.exitCode, 3);
    other.close();
  });

  it('is bound to the default without an argument, and knows no other methods', () => {
    assert.equal(getContext(), getContext('fork'));
    assert.throws(() => getContext('telepathy' as StartMethod), { code: 'ERR_MP_START_METHOD' });
  });
});

describe('the default start method', () => {
  it('is fork, may be set once, and again by force; children have it from their parent', async () => {
    const { stdout } = await runScript(`${tasksImport}
      import { Process, Pipe, getStartMethod, setStartMethod } from 'posix-multiprocessing';
      console.log(getStartMethod());
      for (const wrong of ['telepathy', 5, undefined]) try { setStartMethod(wrong) } catch (error) { console.log(error.code) }
      setStartMethod('spawn');
      try { setStartMethod('fork') } catch (error) { console.log(error.code) }
      setStartMethod('forkserver', { force: true });
      console.log(getStartMethod());
      for (const startMethod of ['fork', 'spawn', 'forkserver']) {
        const child = await new Process({ target: tasks.tellStartMethod, startMethod }).start();
        await child.join();
      }
    `);
    assert.equal(
      stdout,
      'fork\nERR_MP_START_METHOD\nERR_INVALID_ARG_TYPE\nERR_MP_START_METHOD\nERR_MP_START_METHOD\n' +
        'forkserver\nforkserver\nforkserver\nforkserver\n',
    );
  });

  it('is forkserver where fork is refused', async () => {
    const { stdout } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { Process, getStartMethod } from 'posix-multiprocessing';
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      console.log(getStartMethod());
      const target = 'data:text/javascript,export default () => console.log("ran")';
      const child = await new Process({ target }).start();
      await child.join();
      await worker.terminate();
      console.log(getStartMethod());
    `);
    assert.equal(stdout, 'forkserver\nran\nfork\n');
  });
});
