/**
 * The process that forks, for fork_storm.ts: `node --expose-gc fork_storm_driver.js <forks> <abreast> <seconds> <seed>`.
 * Answers with lines of JSON: how far it is, in the end the figures. A child that hangs is told, and killed.
 */

import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { onFork, Process } from 'posix-multiprocessing';
import { expectNoGrowth, takeCensus } from '../support/census.js';
import { below, seededRandom } from '../support/random_values.js';
import { saveBacktraces } from './backtraces.js';
import { churn, everythingWorks, keepBusy } from './storm_load.js';

const [FORKS = 0, ABREAST = 0, SECONDS = 0, SEED = 0] = process.argv.slice(2).map(Number);
/** A child works for some 50 ms; one that is still there after this is taken for hung. */
const HUNG_AFTER = 60_000;
const GHOST = 98;
const random = seededRandom(SEED);

/** First of all hooks: between its two nothing happens but the fork, JavaScript stands still. */
const standstills: number[] = [];
let standing = 0;
onFork({
  before: () => {
    standing = performance.now();
  },
  parent: () => standstills.push(performance.now() - standing),
});

type Way = 'exit' | 'return' | 'throw' | 'reallyExit' | 'abandon';

interface Round {
  readonly number: number;
  readonly way: Way;
  readonly work: number;
  readonly collect: boolean;
  readonly withWorker: boolean;
  readonly grandchild: boolean;
  /** Killed this many milliseconds after its start, with this. */
  readonly killedAfter: number | undefined;
  readonly signal: 'SIGKILL' | 'SIGTERM';
}

/** Each with the share of the rounds that leave so, or as one before it. */
const WAYS: readonly [Way, number][] = [
  ['exit', 0.6],
  ['return', 0.8],
  ['throw', 0.9],
  ['reallyExit', 0.95],
  ['abandon', 1],
];

function pickWay(): Way {
  const drawn = random();
  return WAYS.find(([, share]) => drawn < share)?.[0] ?? 'exit';
}

function plan(number: number): Round {
  return {
    number,
    way: pickWay(),
    work: below(random, 8),
    collect: random() < 0.3,
    withWorker: random() < 0.02,
    grandchild: random() < 0.3,
    killedAfter: random() < 0.15 ? random() ** 2 * 60 : undefined,
    signal: random() < 0.7 ? 'SIGKILL' : 'SIGTERM',
  };
}

function expectedCode({ way, number }: Round): number {
  return { exit: number % 97, return: 0, throw: 1, reallyExit: number % 97, abandon: 13 }[way];
}

async function child(round: Round): Promise<unknown> {
  churn(round.work);
  if (round.collect) globalThis.gc?.();
  await everythingWorks(round.withWorker);
  if (round.grandchild) {
    const grandchild = await new Process({ target: () => void churn(2) }).start();
    await grandchild.join();
    if (grandchild.exitCode !== 0) process.exit(97);
  }
  if (round.way === 'exit') process.exit(expectedCode(round));
  if (round.way === 'reallyExit')
    (process as unknown as { reallyExit(code: number): never }).reallyExit(expectedCode(round));
  if (round.way === 'throw') throw new Error('on purpose');
  return round.way === 'abandon' ? new Promise(() => {}) : undefined;
}

const failures: string[] = [];
const starts: number[] = [];
let begun = 0;
let ended = 0;
let killed = 0;

const tell = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

async function oneRound(round: Round): Promise<void> {
  const asked = performance.now();
  const process = await new Process({ target: child, args: [round] }).start();
  starts.push(performance.now() - asked);
  let killer: NodeJS.Timeout | undefined;
  if (round.killedAfter !== undefined) {
    killer = setTimeout(() => process[round.signal === 'SIGKILL' ? 'kill' : 'terminate'](), round.killedAfter);
  }
  if (!(await process.join({ timeout: HUNG_AFTER }))) {
    failures.push(`round ${round.number}: hung, see ${saveBacktraces([process.pid ?? 0])}`);
    process.kill();
    await process.join();
  }
  clearTimeout(killer);
  const wasKilled = process.exitCode === (round.signal === 'SIGKILL' ? -9 : -15) && round.killedAfter !== undefined;
  if (wasKilled) killed += 1;
  if (!wasKilled && process.exitCode !== expectedCode(round)) {
    failures.push(`${JSON.stringify(round)}: ended with ${process.exitCode}, not ${expectedCode(round)}`);
  }
  process.close();
}

async function lane(deadline: number): Promise<void> {
  while (begun < FORKS && performance.now() < deadline) {
    await oneRound(plan(begun++));
    ended += 1;
  }
}

// What is opened once for good is there before the census.
await oneRound({ ...plan(0), number: 0, killedAfter: undefined, way: 'return' });
await everythingWorks(true);
starts.length = standstills.length = 0;
await promisify(setImmediate)();
const before = takeCensus();
const memory = process.memoryUsage.rss();
const load = keepBusy(seededRandom(SEED + 1), () => process.exit(GHOST));
const report = setInterval(() => tell({ ended, failures: failures.length }), 2_000);
const beginning = performance.now();
await Promise.all(Array.from({ length: ABREAST }, () => lane(beginning + SECONDS * 1000)));
const seconds = (performance.now() - beginning) / 1000;
clearInterval(report);
await load.stop();
if (load.tally.asked !== load.tally.answered)
  failures.push(`${load.tally.asked} requests, ${load.tally.answered} ends`);
await expectNoGrowth(before, 20_000).catch((reason: Error) => failures.push(reason.message));
tell({
  ended,
  killed,
  seconds,
  failures,
  starts,
  standstills,
  memory: [memory, process.memoryUsage.rss()].map((bytes) => Math.round(bytes / 2 ** 20)),
  requests: load.tally.answered,
});
