// Contenders of one benchmark, each a process of its own that does one round per line of input and answers with a line of
// JSON. Rounds are interleaved, so that a noisy minute hits all alike; figures are medians.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

export class Contender {
  #process;
  #lines;
  samples = [];

  // `every`: takes part in each n-th cycle only, for the slow ones.
  constructor(name, [command, ...args], { every = 1, env = {} } = {}) {
    this.name = name;
    this.every = every;
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.name} ended`);
    return JSON.parse(value);
  }

  // The first line says that it is ready, and what it has to say about itself.
  async ready() {
    this.about = await this.#answer();
    return this;
  }

  async round() {
    this.#process.stdin.write('\n');
    return this.#answer();
  }

  end() {
    this.#process.stdin.end();
    return new Promise((resolve) => this.#process.once('exit', resolve));
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

// Cycles through the contenders; `samples` of each holds its answers.
export async function compete(contenders, cycles) {
  for (const contender of contenders) await contender.round(); // warm
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (const contender of contenders) {
      if (cycle % contender.every === 0) contender.samples.push(await contender.round());
    }
  }
  for (const contender of contenders) await contender.end();
}

export function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

// Whose a contender is, by its name.
const kinds = [
  ['cpython', /^CPython/],
  ['c', /^C[, ]/],
  ['npm', /^(piscina|tinypool|workerpool|poolifier|jest-worker)/],
  [
    'node',
    /^(Worker|process\.send|child_process|node |v8\.|JSON|Atomics|plain |fresh process|one process|two processes apart|no fork)/,
  ],
];
const kindOf = (name) => kinds.find(([, pattern]) => pattern.test(name))?.[0] ?? 'ours';

function summary({ name, values }) {
  const sorted = [...values].sort((a, b) => a - b);
  const rounded = (figure) => Number(figure.toPrecision(5));
  const at = (share) => rounded(sorted[Math.round(share * (sorted.length - 1))]);
  return {
    name,
    kind: kindOf(name),
    median: rounded(median(values)),
    q1: at(0.25),
    q3: at(0.75),
    rounds: values.length,
  };
}

// Data for scripts/bench.mjs, which names the file: of each contender its figures by the round. The first of ours is what the
// others are compared with. `better`: 'lower' or 'higher'; `chart: false` for what a picture has no room for.
export function record(title, { unit, better = 'lower', chart = true, results }) {
  const file = process.env.MP_BENCH_RESULTS;
  if (file === undefined) return;
  const bench = path.basename(path.dirname(process.argv[1]));
  const line = { bench, title, unit, better, chart, results: results.map(summary) };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

// A table for people, and the same as data.
export function report(title, { header, rows, ...data }) {
  const rounds = Math.max(...data.results.map(({ values }) => values.length));
  console.log(`\n${title}; Node ${process.version}, medians of ${rounds} interleaved rounds\n\n${table(header, rows)}`);
  record(title, data);
}

// A driver in JavaScript: `round` is awaited once per line of input, its value is the answer.
export async function drive(about, round) {
  process.stdout.write(`${JSON.stringify(about)}\n`);
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await round())}\n`);
  }
}
