import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { SharedMemory } from 'posix-multiprocessing';
import { runScript, type ScriptResult } from '../support/run_script.js';
import { waitFor } from '../support/watchdog.js';
import { freshName } from './segments.js';

const file = (name: string): string => `/dev/shm/${name}`;
const cli: string = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** Runs a script that sees `names`, four of them. */
async function run(names: readonly string[], body: string): Promise<ScriptResult> {
  const result = await runScript(
    `
    import { Lock, Process, SharedMemory } from 'posix-multiprocessing';
    const names = process.argv.slice(1);
    const sleep = () => new Promise(() => setInterval(() => {}, 1000));
    ${body}`,
    { args: names },
  );
  assert.equal(result.timedOut, false, result.facts);
  return result;
}

const fourNames = (): [string, string, string, string] => [freshName(), freshName(), freshName(), freshName()];

async function gone(...names: string[]): Promise<void> {
  for (const name of names) await waitFor(`${name} goes`, () => !existsSync(file(name)));
}

/** The trackers of this tree's registry: programs of that name that were told about it. */
function trackersOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((entry) => {
      try {
        const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
        return readlinkSync(`/proc/${entry}/exe`).endsWith('/tracker') && words[2]?.startsWith(`/mp-names-${pid}-`);
      } catch {
        return false;
      }
    });
}

function clean(...flags: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, 'clean', ...flags], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('names in /dev/shm', () => {
  it('go when every process of the tree is killed at once', async () => {
    const names = fourNames();
    const { signal } = await run(
      names,
      `
      SharedMemory.create({ name: names[0], size: 10 });
      const lock = new Lock({ name: names[3] });
      for (const name of names.slice(1, 3)) {
        const child = new Process({
          target: async () => {
            SharedMemory.create({ name, size: 10 });
            SharedMemory.open(names[0]);
            await sleep();
          },
        });
        await child.start();
      }
      for (const name of names.slice(0, 3)) {
        for (;;) {
          try {
            SharedMemory.open(name).close();
            break;
          } catch {
            await new Promise(setImmediate);
          }
        }
      }
      process.kill(0, 'SIGKILL');`.replace(
        "process.kill(0, 'SIGKILL');",
        // Its group is this test's: the members one by one.
        `const { readFileSync, readdirSync } = await import('node:fs');
      const parentOf = (pid) => Number(readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[1]);
      const children = readdirSync('/proc').filter((pid) => {
        try { return /^\\d+$/.test(pid) && parentOf(pid) === process.pid; } catch { return false; }
      });
      for (const pid of [...children, process.pid]) process.kill(Number(pid), 'SIGKILL');`,
      ),
    );
    assert.equal(signal, 'SIGKILL');
    const [one, two, three, four] = names;
    await gone(one, two, three, `sem.${four}`);
  });

  it('go when their makers are killed at any moment of making and removing them', async () => {
    const [base] = fourNames();
    const { code, stderr } = await run(
      [base],
      `
      for (let kill = 0; kill < 40; kill += 1) {
        const child = new Process({
          target: () => {
            for (let count = 0; ; count += 1) {
              const name = \`\${names[0]}-\${process.pid}-\${count}\`;
              const one = count % 3 === 0 ? SharedMemory.create({ name, size: 10 }) : new Lock({ name });
              one.unlink();
              one.close();
            }
          },
        });
        await child.start();
        // At some moment or other; all of them are right.
        await new Promise((resolve) => setTimeout(resolve, 3 + Math.random() * 10));
        child.kill();
        await child.join();
        child.close();
      }`,
    );
    assert.equal(code, 0, stderr);
    await waitFor('the last name goes', () => !readdirSync('/dev/shm').some((name) => name.includes(base)));
  });

  it('stay for as long as one process of the tree lives, whoever made them', async () => {
    const names = fourNames();
    const { stdout, stderr } = await run(
      names,
      `
      const { spawnSync } = await import('node:child_process');
      SharedMemory.create({ name: names[0], size: 10 });
      const child = new Process({
        target: async () => {
          const { parentProcess } = await import('posix-multiprocessing');
          await parentProcess().join();
          console.log(SharedMemory.open(names[0]).size);
          SharedMemory.create({ name: names[1], size: 20 });
          console.log(SharedMemory.open(names[1]).size);
        },
      });
      await child.start();
      process.kill(process.pid, 'SIGKILL');`,
    );
    assert.equal(stdout, '10\n20\n', stderr);
    await gone(names[0], names[1]);
  });

  it('that spawned processes make go with the whole tree', async () => {
    const names = fourNames();
    const { stdout, stderr } = await run(
      names,
      `
      for (const [index, startMethod] of ['spawn', 'forkserver'].entries()) {
        const target = '${new URL('maker.js', import.meta.url).href}#make';
        const child = new Process({ target, args: [names[index]], startMethod });
        await child.start();
        await child.join();
        SharedMemory.open(names[index]).close();
      }
      console.log('both stay');
      process.kill(process.pid, 'SIGKILL');`,
    );
    assert.equal(stdout, 'both stay\n', stderr);
    await gone(names[0], names[1]);
  });

  it('that persist, or belong to another tree, are not touched', async () => {
    const names = fourNames();
    const [persistent, opened, own] = names;
    using other = SharedMemory.create({ name: opened, size: 1 });
    await run(
      names,
      `
      SharedMemory.create({ name: names[0], size: 1, persist: true });
      SharedMemory.open(names[1]);
      SharedMemory.create({ name: names[2], size: 1 });
      process.kill(process.pid, 'SIGKILL');`,
    );
    await gone(own);
    assert.deepEqual([existsSync(file(persistent)), existsSync(file(opened))], [true, true]);
    other.unlink();
    SharedMemory.open(persistent).unlink();
  });

  it('that a Worker made stay until the process ends', async () => {
    const names = fourNames();
    const { stdout, stderr } = await run(
      names,
      `
      const { Worker } = await import('node:worker_threads');
      const code = "import('posix-multiprocessing').then(({ SharedMemory }) => SharedMemory.create({ name: process.env.NAME, size: 1 }))";
      const worker = new Worker(code, { eval: true, env: { ...process.env, NAME: names[0] } });
      await new Promise((resolve) => worker.once('exit', resolve));
      SharedMemory.create({ name: names[1], size: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(SharedMemory.open(names[0]).size);`,
    );
    assert.equal(stdout, '1\n', stderr);
    await gone(names[0], names[1]);
  });

  it('go by hundreds, after some were removed and made again', async () => {
    const names = fourNames();
    const { stdout } = await run(
      names,
      `
      const all = Array.from({ length: 300 }, (_, index) => SharedMemory.create({ name: names[0] + index, size: 1 }));
      for (let index = 0; index < 300; index += 2) all[index].unlink();
      for (let index = 0; index < 300; index += 4) SharedMemory.create({ name: names[0] + index, size: 1 });
      console.log('made');
      process.kill(process.pid, 'SIGKILL');`,
    );
    assert.equal(stdout, 'made\n');
    const left = (): string[] => readdirSync('/dev/shm').filter((name) => name.startsWith(names[0]));
    await waitFor('all names go', () => left().length === 0);
  });

  it('have a new tracker when somebody has killed it', async () => {
    const names = fourNames();
    const { stdout, stderr } = await run(
      names,
      `
      ${trackersOf.toString()}
      const { existsSync, readdirSync, readFileSync, readlinkSync } = await import('node:fs');
      SharedMemory.create({ name: names[0], size: 1 });
      const trackers = trackersOf(process.pid);
      console.log(trackers.length);
      process.kill(trackers[0], 'SIGKILL');
      while (existsSync('/proc/' + trackers[0]) && !/^State:\\s+Z/m.test(readFileSync('/proc/' + trackers[0] + '/status', 'utf8')));
      SharedMemory.create({ name: names[1], size: 1 });
      console.log(trackersOf(process.pid).filter((pid) => pid !== trackers[0]).length);
      process.kill(process.pid, 'SIGKILL');`,
    );
    assert.equal(stdout, '1\n1\n', stderr);
    await gone(names[0], names[1]);
  });

  it('of a tree that has lost its tracker are what the clean command removes, and nothing else', async () => {
    const names = fourNames();
    using living = SharedMemory.create({ name: names[2], size: 1 });
    const { stdout } = await run(
      names,
      `
      ${trackersOf.toString()}
      const { readdirSync, readFileSync, readlinkSync } = await import('node:fs');
      SharedMemory.create({ name: names[0], size: 1 });
      SharedMemory.create({ name: names[1], size: 1, persist: true });
      for (const pid of trackersOf(process.pid)) process.kill(pid, 'SIGKILL');
      console.log(process.pid);
      process.kill(process.pid, 'SIGKILL');`,
    );
    const pid = Number(stdout);
    await waitFor('the process ends', () => !existsSync(`/proc/${pid}`));
    const isOfInterest = (path: string): boolean =>
      names.includes(path.replace('/dev/shm/', '')) || path.includes(`/mp-names-${pid}-`);
    const listed = clean('--dry-run').filter(isOfInterest);
    assert.equal(listed.length, 2);
    assert.equal(listed[0], file(names[0]));
    assert.ok(existsSync(file(names[0])));
    assert.deepEqual(clean().filter(isOfInterest), listed);
    assert.deepEqual(names.map(file).map(existsSync), [false, true, true, false]);
    assert.deepEqual(clean('--dry-run').filter(isOfInterest), []);
    living.unlink();
    SharedMemory.open(names[1]).unlink();
  });

  it('are all that the command knows of', () => {
    for (const words of [[], ['tidy'], ['clean', '--force'], ['clean', 'more']]) {
      const { status, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8' });
      assert.equal(status, 2);
      assert.match(stderr, /^usage: posix-multiprocessing clean \[--dry-run\]/);
    }
  });
});
