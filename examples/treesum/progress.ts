/** Progress: a bar on a terminal, a plain line every second elsewhere. */

import { performance } from 'node:perf_hooks';
import { setInterval } from 'node:timers/promises';
import type { WriteStream } from 'node:tty';
import { inBytes, inFull, inTime } from './text.js';
import { effort, type Reading, type Total, type Totals } from './totals.js';

/** Milliseconds between two looks at the totals. */
const PERIOD = { terminal: 100, plain: 1000 };
/** Rates are those of the last so many milliseconds. */
const WINDOW = 5000;
const BAR_WIDTH = 20;
const CLEAR_LINE = '\r\x1b[K';

/** What was done at a time. */
type Moment = Total & { time: number };

export class Progress {
  readonly #totals: Totals;
  readonly #stream: WriteStream;
  readonly #onTerminal: boolean;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  readonly #moments: Moment[] = [{ time: performance.now(), files: 0, bytes: 0 }];

  constructor(totals: Totals) {
    this.#totals = totals;
    this.#stream = process.stderr.isTTY || !process.stdout.isTTY ? process.stderr : process.stdout;
    this.#onTerminal = this.#stream.isTTY && process.env['TERM'] !== 'dumb';
    this.#running = this.#run();
  }

  /** Leaves the terminal as it was. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
    if (this.#onTerminal) this.#stream.write(CLEAR_LINE);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const period = this.#onTerminal ? PERIOD.terminal : PERIOD.plain;
    try {
      for await (const _ of setInterval(period, undefined, { signal })) this.#show(await this.#totals.read({ signal }));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #show(reading: Reading): void {
    const now = { time: performance.now(), files: reading.files, bytes: reading.bytes };
    while ((this.#moments[1]?.time ?? now.time) < now.time - WINDOW) this.#moments.shift();
    this.#moments.push(now);
    const facts = describe(reading, this.#moments[0] as Moment, now);
    if (this.#onTerminal) this.#stream.write(CLEAR_LINE + fitted([bar(reading), ...facts], this.#stream.columns || 80));
    else this.#stream.write(`${facts.join(', ')}\n`);
  }
}

/** The most important facts first. */
function describe({ files, bytes, expected }: Reading, since: Moment, now: Moment): string[] {
  const seconds = Math.max(0.001, (now.time - since.time) / 1000);
  const rates = [`${inFull((files - since.files) / seconds)} files/s`, `${inBytes((bytes - since.bytes) / seconds)}/s`];
  if (!expected.complete) return ['still counting', ...rates, `${inFull(files)} files`, inBytes(bytes)];
  const speed = (effort(now) - effort(since)) / seconds;
  const left = Math.max(0, effort(expected) - effort(now));
  return [
    `${Math.floor(100 * fractionDone({ files, bytes }, expected))} %`,
    ...(speed > 0 ? [`${inTime((1000 * left) / speed)} left`] : []),
    ...rates,
    `${inFull(files)} of ${inFull(expected.files)} files`,
    `${inBytes(bytes)} of ${inBytes(expected.bytes)}`,
  ];
}

/** As many as have room on one line: one that wraps could not be taken back. */
function fitted(facts: string[], columns: number): string {
  return facts.reduce((line, fact) => (line.length + fact.length + 2 < columns ? `${line}  ${fact}` : line));
}

function bar({ files, bytes, expected }: Reading): string {
  const done = expected.complete ? Math.floor(BAR_WIDTH * fractionDone({ files, bytes }, expected)) : 0;
  return `[${'#'.repeat(done)}${'-'.repeat(BAR_WIDTH - done)}]`;
}

/** At most 1, though the tree may have grown since it was counted. */
function fractionDone(done: Total, expected: Total): number {
  return Math.min(1, effort(done) / Math.max(1, effort(expected)));
}
