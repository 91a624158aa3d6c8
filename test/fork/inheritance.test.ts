import assert from 'node:assert/strict';
import { exec, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { onFork, Process } from 'posix-multiprocessing';
import { inChild } from '../support/in_child.js';
import { runScript } from '../support/run_script.js';

const turn = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a forked child', () => {
  it("runs none of the parent's timers and immediates", async () => {
    const ran: string[] = [];
    const timers = [
      setTimeout(() => ran.push('timeout'), 1),
      setTimeout(() => ran.push('later timeout'), 30),
      setInterval(() => ran.push('interval'), 2),
      setInterval(() => ran.push('unref interval'), 3).unref(),
    ];
    const immediate = setImmediate(function again(): void {
      ran.push('immediate');
    });
    try {
      const seen = await inChild(async () => {
        ran.length = 0;
        await turn(60);
        return ran;
      });
      assert.deepEqual(seen, []);
      await turn(40);
      assert.ok(ran.includes('interval') && ran.includes('later timeout'), 'they go on in the parent');
    } finally {
      timers.forEach(clearInterval);
      clearImmediate(immediate);
    }
  });

  it("has none of the parent's listeners for its end and for signals", async () => {
    const listener = (): void => assert.fail("the parent's listener ran in the child");
    const events = ['exit', 'beforeExit', 'uncaughtException', 'unhandledRejection', 'SIGHUP', 'SIGUSR2'] as const;
    const before = events.map((event) => process.listenerCount(event));
    for (const event of events) process.on(event, listener);
    try {
      const counts = await inChild(() => events.map((event) => process.listenerCount(event)));
      assert.deepEqual(counts.slice(2), [0, 0, 0, 0]);
      const child = await new Process({
        target: () => void Promise.reject(new Error('for the child, on purpose')),
      }).start();
      await child.join();
      assert.equal(child.exitCode, 1);
      child.close();
      assert.deepEqual(
        events.map((event) => process.listenerCount(event)),
        before.map((count) => count + 1),
      );
    } finally {
      for (const event of events) process.off(event, listener);
    }
  });

  it('knows its own pid everywhere', async () => {
    const [pid, fromProc, ppid] = await inChild(() => [
      process.pid,
      Number(fs.readlinkSync('/proc/self')),
      process.ppid,
    ]);
    assert.equal(pid, fromProc);
    assert.notEqual(pid, process.pid);
    assert.equal(ppid, process.pid);
  });

  it('draws random values of its own: no two of parent and 50 siblings are the same', async () => {
    const draw = (): string[] => [
      ...Array.from({ length: 20 }, () => `random ${Math.random()}`),
      ...Array.from({ length: 20 }, () => crypto.randomUUID()),
      ...Array.from({ length: 20 }, () => `int ${crypto.randomInt(2 ** 47)}`),
      crypto.randomBytes(8).toString('hex'),
      String(globalThis.crypto.getRandomValues(new Uint32Array(2))),
    ];
    draw();
    const children = await Promise.all(Array.from({ length: 50 }, () => inChild(draw)));
    const all = [...draw(), ...children.flat()];
    assert.equal(new Set(all).size, all.length);
  });

  it('draws evenly: Math.random() of a child', async () => {
    const [low, high, mean] = await inChild(() => {
      const values = Array.from({ length: 20_000 }, () => Math.random());
      return [Math.min(...values), Math.max(...values), values.reduce((sum, value) => sum + value) / values.length];
    });
    assert.ok(low !== undefined && low >= 0 && low < 0.01);
    assert.ok(high !== undefined && high < 1 && high > 0.99);
    assert.ok(mean !== undefined && Math.abs(mean - 0.5) < 0.02);
  });

  it('has a title of its own, once it sets one', async () => {
    const title = process.title;
    const [inherited, own, shown] = await inChild(() => {
      const inherited = process.title;
      process.title = 'a child';
      return [inherited, process.title, fs.readFileSync('/proc/self/cmdline', 'utf8').replace(/\0.*/s, '')];
    });
    assert.deepEqual([inherited, own, shown], [title, 'a child', 'a child']);
    assert.equal(process.title, title);
  });

  it('lets lookups go on in the child when the parent had many under way', async () => {
    const lookups = Array.from({ length: 200 }, () => dns.lookup('localhost'));
    assert.ok(await inChild(async () => (await dns.lookup('localhost')).family > 0));
    await Promise.all(lookups);
  });

  it('starts while a read that may never end holds a thread of the pool', async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-fifo-'));
    const fifo = join(folder, 'fifo');
    await promisify(exec)(`mkfifo '${fifo}'`);
    const reading = fs.promises.readFile(fifo, 'utf8');
    assert.equal(await inChild(async () => (await fs.promises.readFile('/proc/self/comm', 'utf8')).length > 0), true);
    await fs.promises.writeFile(fifo, 'at last');
    assert.equal(await reading, 'at last');
    fs.rmSync(folder, { recursive: true });
  });

  it('watches no file for the parent, and the parent goes on watching', async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'mp-watch-'));
    let events = 0;
    const watcher = fs.watch(folder, () => {
      events += 1;
    });
    const seen = await inChild(async () => {
      events = 0;
      fs.writeFileSync(join(folder, 'one'), '');
      await turn(30);
      return events;
    });
    assert.equal(seen, 0);
    fs.writeFileSync(join(folder, 'two'), '');
    while (events === 0) await turn(1);
    watcher.close();
    fs.rmSync(folder, { recursive: true });
  });

  it('has no part in the IPC channel of a process that child_process.fork has made', async () => {
    const { code, stdout, stderr } = await runScript(
      `
      import { fork } from 'node:child_process';
      import fs from 'node:fs';
      const file = process.argv[1];
      fs.writeFileSync(file, \`
        import { Process } from 'posix-multiprocessing';
        process.on('message', (number) => process.send(number * 2));
        for (let round = 0; round < 5; round++) {
          const child = await new Process({ target: () => {
            try { process.send('from a grandchild'); } catch { process.exitCode = 3; }
            if (process.connected) process.exitCode = 4;
            process.disconnect();
          } }).start();
          await child.join();
          process.send(child.exitCode);
        }
      \`);
      const middle = fork(file, { stdio: 'inherit', execArgv: [] });
      const seen = [];
      middle.on('message', (message) => {
        seen.push(message);
        if (message === 3) middle.send(seen.length * 100);
        if (seen.length === 10) middle.disconnect();
      });
      middle.on('exit', (exitCode) => {
        fs.rmSync(file);
        console.log(exitCode, seen.filter((message) => message === 3).length, seen.filter((message) => message >= 100).length);
      });
    `,
      { args: [join(process.cwd(), 'out', `ipc-${process.pid}.mjs`)] },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '0 5 5\n', stderr);
  });

  it("does not report the parent's child processes", async () => {
    const sleeper = spawn('sleep', ['30'], { stdio: 'ignore' });
    let exits = 0;
    sleeper.on('exit', () => {
      exits += 1;
    });
    const seen = await inChild(async () => {
      await promisify(exec)('true'); // brings a SIGCHLD
      await turn(10);
      return exits;
    });
    assert.equal(seen, 0);
    sleeper.kill();
    while (exits === 0) await turn(1);
  });
});

describe('onFork', () => {
  it('runs before in reverse order, then parent and child in order, until disposed', async () => {
    const log: string[] = [];
    const hooks = ['a', 'b'].map((name) =>
      onFork({
        before: () => void log.push(`before ${name}`),
        parent: () => void log.push(`parent ${name}`),
        child: () => void log.push(`child ${name}`),
      }),
    );
    const inTheChild = await inChild(() => log);
    assert.deepEqual(inTheChild.slice(-4), ['before b', 'before a', 'child a', 'child b']);
    assert.deepEqual(log.slice(-4), ['before b', 'before a', 'parent a', 'parent b']);
    for (const hook of hooks) hook[Symbol.dispose]();
    const length = log.length;
    await inChild(() => 0);
    assert.equal(log.length, length);
  });

  it('may veto a fork by throwing, and those that ran before are undone', async () => {
    const undone: string[] = [];
    using _veto = onFork({
      before: () => {
        throw new Error('not now');
      },
    });
    using _first = onFork({ parent: () => void undone.push('first') });
    const child = new Process({ target: () => {} });
    await assert.rejects(child.start(), /not now/);
    assert.throws(() => child.startSync(), /not now/);
    assert.equal(child.pid, undefined);
    assert.deepEqual(undone, ['first', 'first']);
  });

  it('refuses hooks that are no functions', () => {
    assert.throws(() => onFork({ before: 5 as unknown as () => void }), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
