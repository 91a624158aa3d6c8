/**
 * Forks again and again while parent and child compile, collect and keep libuv's pool busy: the claim "never hangs" as a
 * count. Prints one line; a child that hangs leaves its backtrace in out/soak/ and fails the run.
 *
 *   node --expose-gc out/test/soak/fork_storm.js [--forks 1000] [--abreast 3] [--seconds 3600]
 */

import { execFileSync } from 'node:child_process';
import { pbkdf2, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { parseArgs, promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { Process } from 'posix-multiprocessing';

const { values } = parseArgs({
  options: {
    forks: { type: 'string', default: '1000' },
    abreast: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3600' },
  },
});
const FORKS = Number(values.forks);
const ABREAST = Number(values.abreast);
const DEADLINE = performance.now() + Number(values.seconds) * 1000;
/** A child works for some 30 ms; one that is still there after this is taken for hung. */
const HUNG_AFTER = 60_000;

/** Garbage of all ages, a fresh function to optimise, maps that change shape. */
function churn(rounds: number): number {
  let checksum = 0;
  for (let round = 0; round < rounds; round++) {
    const compiled = new Function(
      'n',
      `let s = ${round}; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;`,
    ) as (n: number) => number;
    checksum ^= compiled(20_000);
    const objects = Array.from({ length: 2_000 }, (_, index) => ({
      index,
      text: `item ${index}`,
      [`key${index % 50}`]: round,
    }));
    const again = JSON.parse(JSON.stringify(objects)) as { index: number }[];
    checksum ^= again.reduce((sum, { index }) => (sum + index) | 0, 0);
  }
  return checksum;
}

async function everythingWorks(): Promise<void> {
  const text = await readFile('/proc/self/stat', 'utf8');
  if (!text.startsWith(`${process.pid} `)) throw new Error('/proc/self is another process');
  const packed = await promisify(deflate)(randomBytes(20_000));
  if ((await promisify(inflate)(packed)).byteLength !== 20_000) throw new Error('inflate lost bytes');
  await new Promise((resolve) => setTimeout(resolve, 1));
}

async function child(round: number): Promise<void> {
  churn(5);
  if (round % 3 === 0) globalThis.gc?.();
  await everythingWorks();
  if (round % 10 < 3) {
    const grandchild = await new Process({ target: () => void churn(2) }).start();
    await grandchild.join();
    if (grandchild.exitCode !== 0) throw new Error(`grandchild ended with ${grandchild.exitCode}`);
  }
  process.exit(round % 100);
}

/** Keeps the parent's compiler, collector and thread pool busy between the events of the loop. */
function keepBusy(): () => void {
  let busy = true;
  const turn = (): void => {
    if (!busy) return;
    churn(1);
    setImmediate(turn);
  };
  const pool = (): void => {
    if (busy) pbkdf2('secret', 'salt', 2_000, 32, 'sha256', pool);
  };
  turn();
  for (let request = 0; request < 3; request++) pool();
  return () => {
    busy = false;
  };
}

function saveBacktrace(pid: number): string {
  mkdirSync('out/soak', { recursive: true });
  const path = `out/soak/hung-node${process.versions.modules}-${pid}.txt`;
  let text: string;
  try {
    text = execFileSync('gdb', ['-p', String(pid), '-batch', '-ex', 'thread apply all bt'], { encoding: 'utf8' });
  } catch (error) {
    text = `no backtrace: ${(error as Error).message}`;
  }
  writeFileSync(path, text);
  return path;
}

const failures: string[] = [];
const starts: number[] = [];
let started = 0;

async function lane(): Promise<void> {
  while (started < FORKS && performance.now() < DEADLINE) {
    const round = started++;
    const begun = performance.now();
    const process = await new Process({ target: child, args: [round] }).start();
    starts.push(performance.now() - begun);
    if (!(await process.join({ timeout: HUNG_AFTER }))) {
      failures.push(`round ${round}: hung, see ${saveBacktrace(process.pid ?? 0)}`);
      process.kill();
      await process.join();
    } else if (process.exitCode !== round % 100) {
      failures.push(`round ${round}: ended with ${process.exitCode}, not ${round % 100}`);
    }
    process.close();
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

const warm = await new Process({ target: () => {} }).start();
await warm.join();
warm.close();
const relax = keepBusy();
await promisify(setImmediate)();
const before = descriptors();
const begun = performance.now();
await Promise.all(Array.from({ length: ABREAST }, lane));
const seconds = (performance.now() - begun) / 1000;
relax();
if (descriptors() > before) failures.push(`descriptors: ${before} before, ${descriptors()} after`);
starts.sort((a, b) => a - b);
const median = starts[starts.length >> 1]?.toFixed(1);
console.log(
  `Node ${process.version}: ${started} forks in ${seconds.toFixed(0)} s, ${failures.length} failures; ` +
    `start() under load: median ${median} ms, maximum ${starts.at(-1)?.toFixed(1)} ms`,
);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
