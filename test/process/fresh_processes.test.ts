/** Fresh processes, spawned or from the fork server, where much is asked of them or somebody gets hurt. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, describe, it } from 'mocha';
import {
  currentProcess,
  getAllStartMethods,
  Pipe,
  Process,
  type StartMethod,
  type Target,
} from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { withEnvironment } from '../support/processes.js';
import { runScript } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import * as tasks from './tasks.js';

const root: string = fileURLToPath(new URL('../../..', import.meta.url));
const tasksImport = `import * as tasks from ${JSON.stringify(new URL('./tasks.js', import.meta.url).href)};`;
const fresh: readonly StartMethod[] = ['forkserver', 'spawn'];

const hasEnded = (pid: number): boolean => {
  try {
    return /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

const parentOf = (pid: number): number => Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);

async function start(startMethod: StartMethod, target: Target, ...args: unknown[]): Promise<Process> {
  return new Process({ target, args, startMethod }).start();
}

/** Gives up a child that may have lost its server: its exit code is whatever is known of it. */
async function giveUp(child: Process): Promise<number | undefined> {
  child.kill();
  await child.join();
  const { exitCode } = child;
  child.close();
  return exitCode;
}

for (const startMethod of fresh) {
  describe(`start method '${startMethod}', under load`, () => {
    after(stopForkServer);

    it('carries arguments of 100 MiB, by start() and by startSync()', async () => {
      const bytes = Buffer.alloc(100 << 20, 7);
      for (const begin of ['start', 'startSync'] as const) {
        const [here, there] = Pipe<number[]>();
        const child = new Process({ target: tasks.measure, args: [bytes, there], startMethod });
        await child[begin]();
        there.close();
        assert.deepEqual(await here.recv(), [bytes.length, 7]);
        here.close();
        await child.join();
        child.close();
      }
    });

    it('rejects start() when the child dies while it is being fed', async () => {
      const target = 'data:text/javascript,process.kill(process.pid, "SIGKILL"); export default () => {}';
      const child = new Process({ target, args: [Buffer.alloc(20 << 20)], startMethod });
      await assert.rejects(child.start(), { code: 'ERR_MP_PROCESS', message: /ended with -9/ });
      assert.throws(() => child.startSync(), { code: 'ERR_MP_PROCESS' });
      assert.equal(child.pid, undefined);
    });

    it('holds many children at once, each of which is waited for, signalled and counted', async () => {
      // The soak has 500 of each. A fresh Node takes 45 MB, a child of the fork server less than 10.
      const many = startMethod === 'spawn' ? Math.min(8, Math.max(2, Math.floor(freemem() / 200e6))) : 40;
      const children = await Promise.all(Array.from({ length: many }, () => start(startMethod, tasks.forEver)));
      assert.equal(new Set(children.map(({ pid }) => pid)).size, many);
      assert.ok(children.every((child) => child.isAlive()));
      for (const [index, child] of children.entries()) {
        if (index % 2 === 0) child.kill();
        else child.terminate();
      }
      await Promise.all(children.map((child) => child.join()));
      for (const [index, child] of children.entries()) assert.equal(child.exitCode, index % 2 === 0 ? -9 : -15);
      for (const child of children) child.close();
    });

    it('has the authentication key of whoever started it, along the way', async () => {
      const me = currentProcess();
      const before = me.authKey;
      me.authKey = Buffer.from('a key of our own');
      try {
        const [here, there] = Pipe<string[]>();
        const child = await start(startMethod, tasks.keys, 2, there);
        there.close();
        const expected = Buffer.from('a key of our own').toString('hex');
        assert.deepEqual(await here.recv(), [expected, expected, expected]);
        here.close();
        await child.join();
        child.close();
      } finally {
        me.authKey = before;
      }
    });
  });
}

describe('a fork server that is killed', () => {
  after(stopForkServer);

  it('under load loses no start(): each is answered, by it or by the next one', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await start('forkserver', tasks.forEver);
      const server = parentOf(first.pid ?? 0);
      const starting = Array.from({ length: 8 }, () => start('forkserver', tasks.forEver));
      process.kill(server, 'SIGKILL');
      for (const child of await Promise.all(starting)) {
        assert.equal(child.isAlive(), true);
        await giveUp(child);
      }
      assert.equal(await giveUp(first), 255);
    }
  });

  it('leaves its children theirs: grandchildren of its own are served, joined and told from others', async () => {
    const [here, there] = Pipe<string | number>();
    const [go, gate] = Pipe<string>();
    const child = await start('forkserver', tasks.parentLater, gate, there);
    there.close();
    gate.close();
    assert.equal(await here.recv(), 'ready');
    const server = parentOf(child.pid ?? 0);
    process.kill(server, 'SIGKILL');
    await waitFor('the server to end', () => hasEnded(server));
    await go.send('start yours');
    assert.equal(await here.recv(), 7);
    go.close();
    here.close();
    await child.join();
    assert.equal(child.exitCode, 255);
    child.close();
  });

  it('takes daemons with it, and leaves the others', async () => {
    const daemon = await new Process({ target: tasks.forEver, daemon: true, startMethod: 'forkserver' }).start();
    const other = await start('forkserver', tasks.forEver);
    process.kill(parentOf(other.pid ?? 0), 'SIGKILL');
    await daemon.join();
    assert.equal(daemon.exitCode, 255);
    assert.equal(other.isAlive(), true);
    daemon.close();
    await giveUp(other);
  });
});

describe('Ctrl-C', () => {
  it('ends the program, its children and its fork server', async () => {
    const mark = `ctrl-c-${process.pid}`;
    const text = `${tasksImport}
      import { Process } from 'posix-multiprocessing';
      for (const startMethod of ${JSON.stringify(getAllStartMethods())}) {
        for (const daemon of [false, true]) {
          await new Process({ target: tasks.forEver, daemon, startMethod }).start();
        }
      }
      console.log('all there');`;
    const program = spawn(process.execPath, ['--input-type=module', '--eval', text], {
      cwd: root,
      detached: true, // a group of its own, as a shell makes it
      env: { ...process.env, MP_TEST_MARK: mark },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const ended = once(program, 'exit');
      await once(program.stdout.setEncoding('utf8'), 'data');
      assert.ok(withEnvironment(`MP_TEST_MARK=${mark}`).length >= 8);
      process.kill(-(program.pid ?? 0), 'SIGINT');
      await waitFor('the end of all', () => withEnvironment(`MP_TEST_MARK=${mark}`).length === 0);
      assert.deepEqual(await ended, [null, 'SIGINT']);
    } finally {
      for (const { pid } of withEnvironment(`MP_TEST_MARK=${mark}`)) process.kill(pid, 'SIGKILL');
    }
  });
});

describe('a fresh node', () => {
  async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
    mkdirSync(join(root, 'out'), { recursive: true });
    const folder = mkdtempSync(join(root, 'out/fresh-'));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('takes over conditions, and loaders that are named from where the program began', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'node_modules/conditional'), { recursive: true });
      const manifest = { name: 'conditional', exports: { special: './special.mjs', default: './plain.mjs' } };
      writeFileSync(join(folder, 'node_modules/conditional/package.json'), JSON.stringify(manifest));
      writeFileSync(join(folder, 'node_modules/conditional/special.mjs'), 'export default "special";');
      writeFileSync(join(folder, 'node_modules/conditional/plain.mjs'), 'export default "plain";');
      writeFileSync(join(folder, 'loaded.mjs'), 'globalThis.loaded = "loaded";');
      writeFileSync(
        join(folder, 'task.mjs'),
        'import kind from "conditional"; export default () => console.log(kind, globalThis.loaded, process.cwd());',
      );
      writeFileSync(
        join(folder, 'main.mjs'),
        `import { Process } from 'posix-multiprocessing';
         const target = new URL('./task.mjs', import.meta.url);
         process.chdir('/');
         for (const startMethod of ['forkserver', 'spawn']) {
           const child = await new Process({ target, startMethod }).start();
           await child.join();
         }`,
      );
      const { stdout, stderr } = await runScript(new URL(`file://${folder}/main.mjs`), {
        cwd: folder,
        nodeFlags: ['--conditions=special', '--import', './loaded.mjs'],
      });
      assert.equal(stdout, 'special loaded /\n'.repeat(2), stderr);
    }));

  it('that may not be executed is the error of start(), with its code', () =>
    withFolder(async (folder) => {
      const notExecutable = JSON.stringify(join(folder, 'node'));
      writeFileSync(join(folder, 'node'), '');
      const { stdout } = await runScript(`${tasksImport}
        import { Process } from 'posix-multiprocessing';
        process.execPath = ${notExecutable};
        for (const startMethod of ['forkserver', 'spawn']) {
          const child = new Process({ target: tasks.exitWith, args: [0], startMethod });
          await child.start().catch(({ code, syscall }) => console.log(code, syscall, child.pid));
          try { child.startSync(); } catch ({ code }) { console.log(code); }
        }`);
      assert.equal(stdout, 'EACCES posix_spawn undefined\nEACCES\n'.repeat(2));
    }));
});

describe('NODE_DEBUG=multiprocessing', () => {
  const run = (env: Record<string, string>): ReturnType<typeof runScript> =>
    runScript(
      `${tasksImport}
       import { Process } from 'posix-multiprocessing';
       for (const startMethod of ${JSON.stringify(getAllStartMethods())}) {
         const child = await new Process({ target: tasks.startOne, startMethod }).start();
         await child.join();
       }`,
      { env },
    );

  it('tells on stderr what happens to processes, with their names and their own pids', async () => {
    const { stdout, stderr, code } = await run({ NODE_DEBUG: 'multiprocessing' });
    assert.deepEqual({ stdout, code }, { stdout: '', code: 0 });
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines)
      assert.match(line, /^MULTIPROCESSING \d+: \[(MainProcess|Process-[\d:]+|fork server)\] ./);
    const pids = new Map<string, string>();
    for (const line of lines) {
      const [, pid = '', name = ''] = /^MULTIPROCESSING (\d+): \[(.*?)\]/.exec(line) ?? [];
      assert.equal(pids.get(name) ?? pid, pid);
      pids.set(name, pid);
    }
    for (const name of ['Process-1', 'Process-2', 'Process-3']) {
      const [pid, child] = [pids.get(name), pids.get(`${name}:1`)];
      for (const line of [
        `${pids.get('MainProcess')}: [MainProcess] started ${name}, pid ${pid}`,
        `${pid}: [${name}] calls run()`,
        `${pid}: [${name}] started ${name}:1, pid ${child}`,
        `${pid}: [${name}] ${name}:1, pid ${child}, ended with 3`,
        `${pid}: [${name}] ends with 0`,
        `${pids.get('MainProcess')}: [MainProcess] ${name}, pid ${pid}, ended with 0`,
      ]) {
        assert.ok(lines.includes(`MULTIPROCESSING ${line}`), `${line} is not among\n${stderr}`);
      }
    }
    assert.match(stderr, /\[MainProcess\] started the fork server, pid \d+/);
  });

  it('is silent when nobody asks', async () => {
    const { stderr } = await run({ NODE_DEBUG: '' });
    assert.equal(stderr, '');
  });
});
