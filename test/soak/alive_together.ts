/**
 * Many children alive at once, by each start method: all have their own pid, all are told apart, signalled and reaped, and nothing
 * is left. As many as asked for, or as half of the free memory carries: a fresh Node takes 45 MB. Prints a line for each method.
 *
 *   node out/test/soak/alive_together.js [--alive 500]
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { getAllStartMethods, Process, type StartMethod } from 'posix-multiprocessing';
import { stopForkServer } from '#internals';
import { stay } from './resident.js';

const { values } = parseArgs({ options: { alive: { type: 'string', default: '500' } } });

/** MB that one child takes and shares with nobody, generously. */
const MEMORY: Readonly<Record<StartMethod, number>> = { fork: 12, forkserver: 15, spawn: 50 };
/** Starts under way at the same time. */
const AT_ONCE = 20;

function affordable(method: StartMethod): number {
  const available = Number(/MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
  return Math.min(Number(values.alive), Math.floor(available / 2 / MEMORY[method]));
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

async function startAll(method: StartMethod, count: number): Promise<Process[]> {
  const children: Process[] = [];
  const startSome = async (): Promise<void> => {
    while (children.length < count) {
      const child = new Process({ target: stay, startMethod: method });
      children.push(child);
      await child.start();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, startSome));
  return children;
}

async function together(method: StartMethod): Promise<void> {
  const count = affordable(method);
  const before = descriptors();
  const begun = performance.now();
  const children = await startAll(method, count);
  const took = (performance.now() - begun) / 1000;
  assert.equal(new Set(children.map(({ pid }) => pid)).size, count);
  assert.ok(children.every((child) => child.isAlive()));
  for (const [index, child] of children.entries()) child.sendSignal(index % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
  await Promise.all(children.map((child) => child.join()));
  for (const [index, child] of children.entries()) assert.equal(child.exitCode, index % 2 === 0 ? -9 : -15);
  for (const child of children) child.close();
  await stopForkServer();
  assert.equal(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8'), '');
  assert.ok(descriptors() <= before + 1, 'descriptors are left'); // one for the loop, the first time
  const less = count < Number(values.alive) ? `, all that the free memory carries` : '';
  console.log(`${method}: ${count} alive at once${less}, started in ${took.toFixed(1)} s, all reaped`);
}

for (const method of getAllStartMethods()) await together(method);
