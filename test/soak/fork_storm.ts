/**
 * Forks again and again while parent and children compile, collect, wait for timers and keep libuv's pool busy, and while
 * children are killed: the claim "never hangs" as a count. Prints how far it is, and one line of figures in the end; what hangs,
 * crashes, leaks or stays behind fails the run. Backtraces of what hangs are in out/soak/.
 *
 *   node --expose-gc out/test/soak/fork_storm.js [--forks 1000] [--abreast 3] [--seconds 36000] [--seed n]
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withEnvironment } from '../support/processes.js';
import { saveBacktraces } from './backtraces.js';

const { values } = parseArgs({
  options: {
    forks: { type: 'string', default: '1000' },
    abreast: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '36000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
/** Without a child's end for so long, the process that forks is taken for hung. */
const SILENCE = 180_000;
/** What descends from killed children ends by itself. */
const ORPHANS_END = 60_000;

interface Figures {
  ended: number;
  killed: number;
  seconds: number;
  failures: string[];
  starts: number[];
  standstills: number[];
  memory: [number, number];
  requests: number;
}

const failures: string[] = [];
const mark = `${process.pid}-${Date.now()}`;
const marked = (): number[] => withEnvironment(`MP_SOAK=${mark}`).map(({ pid }) => pid);

/** The watchdog is a process of its own: a parent that hangs notices nothing. */
async function drive(): Promise<Figures | undefined> {
  const script = fileURLToPath(new URL('fork_storm_driver.js', import.meta.url));
  const args = [values.forks, values.abreast, values.seconds, values.seed];
  const driver = spawn(process.execPath, [...process.execArgv, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MP_SOAK: mark },
  });
  let errors = '';
  driver.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text.replaceAll(/^Error: on purpose\n(?: {4}at .*\n)*/gm, '')}`.slice(-10_000);
  });
  const giveUp = (): void => {
    const pids = marked();
    failures.push(`no child has ended for ${SILENCE / 1000} s: see ${saveBacktraces(pids)}`);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  };
  let watchdog = setTimeout(giveUp, SILENCE);
  let last = 0;
  let shown = 0;
  let figures: Figures | undefined;
  for await (const line of createInterface({ input: driver.stdout })) {
    const message = JSON.parse(line) as Partial<Figures> & { ended: number };
    if (message.starts !== undefined) figures = message as Figures;
    if (message.ended > last || figures !== undefined) {
      clearTimeout(watchdog);
      watchdog = setTimeout(giveUp, SILENCE);
      last = message.ended;
    }
    if (Date.now() - shown > 10_000) {
      shown = Date.now();
      process.stderr.write(`Node ${process.version}: ${last} of ${values.forks} forks\n`);
    }
  }
  clearTimeout(watchdog);
  if (driver.exitCode === null && driver.signalCode === null)
    await new Promise((resolve) => driver.once('exit', resolve));
  if (driver.exitCode !== 0) {
    failures.push(
      `the process that forks ended with ${driver.signalCode ?? driver.exitCode}, ${last} forks done\n${errors}`,
    );
  }
  return figures;
}

/** Whoever is still there some time after all has ended. */
async function strays(): Promise<number[]> {
  const deadline = performance.now() + ORPHANS_END;
  for (;;) {
    const left = marked();
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(100);
  }
}

function spread(samples: number[]): string {
  const sorted = samples.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  return `median ${at(0.5)}, 99 % ${at(0.99)}, maximum ${at(1)} ms`;
}

const figures = await drive();
const left = await strays();
if (left.length > 0) {
  failures.push(`${left.length} processes are still there: see ${saveBacktraces(left)}`);
  for (const pid of left) process.kill(pid, 'SIGKILL');
}
if (figures !== undefined) {
  failures.push(...figures.failures);
  const { ended, killed, seconds, starts, standstills, memory, requests } = figures;
  console.log(
    `Node ${process.version}: ${ended} forks in ${seconds.toFixed(0)} s, ${failures.length} failures; ${killed} killed\n` +
      `  the parent stood still: ${spread(standstills)}; ${standstills.length - starts.length} attempts found V8 busy\n` +
      `  start() under load: ${spread(starts)}\n` +
      `  requests and timers of the parent: ${requests}, each ended once; memory ${memory.join(' -> ')} MB; seed ${values.seed}`,
  );
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 && figures !== undefined ? 0 : 1;
