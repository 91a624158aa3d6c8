/**
 * Kills trees of processes with SIGKILL while they make, open and remove shared memory: the claim "no name is left behind"
 * as a count, with a census of /dev/shm after each. Prints one line; a name that is still there after some seconds fails it.
 *
 *   node out/test/soak/shared_kills.js [--seconds 60]
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const DEADLINE = performance.now() + Number(values.seconds) * 1000;
/** The claim is a second; the machine may have other work. */
const PATIENCE = 10_000;

/** A tree whose processes do all that there is to names, and tell their pids. */
const tree = `
  import { Process, ShareableList, SharedMemory, Lock } from 'posix-multiprocessing';
  const prefix = process.argv[1];
  const churn = async (who) => {
    console.log(process.pid);
    SharedMemory.create({ name: prefix + '-' + who, size: 100_000 });
    for (let round = 0; ; round += 1) {
      const memory = SharedMemory.create({ name: prefix + '-' + who + '-' + (round % 50), size: 5000 });
      const list = ShareableList.create([round, 'x'], { name: prefix + '-list-' + who + '-' + round });
      SharedMemory.open(prefix + '-' + who).close();
      if (round % 3 !== 0 || round >= 40) memory.unlink();
      list.unlink();
      memory.close();
      list.close();
      await new Promise(setImmediate);
      if (round >= 49) round = 41;
    }
  };
  const target = async (who) => {
    if (who === 'a') await new Process({ target: churn, args: ['aa'] }).start();
    await churn(who);
  };
  for (const who of ['a', 'b']) await new Process({ target, args: [who] }).start();
  await churn('root');`;

function named(prefix: string): string[] {
  return readdirSync('/dev/shm').filter((name) => name.includes(prefix));
}

const counts = { trees: 0, killed: 0, names: 0, slowest: 0 };

async function round(number: number): Promise<void> {
  const prefix = `mp-soak-${process.pid}-${number}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', tree, '--', prefix], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pids = new Set<number>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
  });
  const closed = once(child, 'close'); // when the last of them is gone
  while (pids.size < 4) await delay(5);
  await delay(Math.random() * 100);
  counts.names += named(prefix).length;
  const group = -(child.pid as number);
  if (number % 3 === 0) process.kill(group, 'SIGKILL');
  else {
    for (const pid of [...pids].sort(() => Math.random() - 0.5)) {
      process.kill(pid, 'SIGKILL');
      await delay(Math.random() * 5);
    }
  }
  await closed;
  const dead = performance.now();
  while (named(prefix).length > 0 || named(`mp-names-${child.pid}-`).length > 0) {
    if (performance.now() - dead > PATIENCE) throw new Error(`left behind: ${named(prefix).join(' ')}`);
    await delay(1);
  }
  counts.trees += 1;
  counts.killed += pids.size;
  counts.slowest = Math.max(counts.slowest, performance.now() - dead);
}

for (let number = 0; performance.now() < DEADLINE; number += 1) await round(number);
process.stdout.write(
  `${counts.trees} trees, ${counts.killed} processes killed, ${counts.names} names seen before; ` +
    `all gone at most ${counts.slowest.toFixed(0)} ms after the last process\n`,
);
