/** What `npm run bench` makes of the benchmarks' figures: data, tables, a picture. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

const root: URL = new URL('../../../', import.meta.url);

interface Result {
  readonly name: string;
  readonly kind: string;
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly rounds: number;
}
interface Comparison {
  readonly bench: string;
  readonly title: string;
  readonly unit: string;
  readonly better: string;
  readonly chart: boolean;
  readonly results: readonly Result[];
}
interface Data {
  readonly results: readonly Comparison[];
}

const made = (
  title: string,
  better: string,
  ...results: [name: string, kind: string, median: number][]
): Comparison => ({
  bench: 'made',
  title,
  unit: 'ms',
  better,
  chart: true,
  results: results.map(([name, kind, median]) => ({ name, kind, median, q1: median / 2, q3: median * 2, rounds: 3 })),
});

const dataOf = (...results: Comparison[]): Data & Record<string, unknown> => ({
  machine: { processors: 2, model: 'a <machine>', memoryGB: 4, system: 'Linux' },
  versions: { node: 'v20.1.2', python: 'Python 3.11', cc: undefined },
  begin: { date: '2026-01-02T03:04:05.678Z', load: [0.5, 0, 0] },
  end: { date: '2026-01-02T04:04:05.678Z', load: [0.75, 0, 0] },
  isQuick: false,
  results,
});

const load = async <M>(file: string): Promise<M> => (await import(new URL(`scripts/lib/${file}`, root).href)) as M;

describe('results of benchmarks', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mp-bench-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('are recorded by contender, with medians and quartiles, and whose each is', async () => {
    const file = join(folder, 'lines');
    const { code, stderr } = await runScript(
      `import { record } from './bench/harness.mjs';
       const results = [
         { name: 'Lock', values: [5, 1, 4, 2, 3] },
         { name: 'C sem_t', values: [1] },
         { name: 'CPython Lock', values: [2] },
         { name: 'Worker postMessage', values: [3] },
         { name: 'piscina', values: [4] },
       ];
       process.argv[1] = '/any/bench/lock/index.mjs';
       record('a pair', { unit: 'ns', results });`,
      { env: { MP_BENCH_RESULTS: file } },
    );
    assert.deepEqual([code, stderr], [0, '']);
    const { results, ...about } = JSON.parse(readFileSync(file, 'utf8')) as Comparison;
    assert.deepEqual(about, { bench: 'lock', title: 'a pair', unit: 'ns', better: 'lower', chart: true });
    assert.deepEqual(results[0], { name: 'Lock', kind: 'ours', median: 3, q1: 2, q3: 4, rounds: 5 });
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['ours', 'c', 'cpython', 'node', 'npm'],
    );
  });

  it('become a table with the spread, and how many times as good each is as the first of ours', async () => {
    const { markdown } = await load<{ markdown: (data: Data) => string }>('bench_results.mjs');
    const text = markdown(
      dataOf(
        made('times', 'lower', ['C', 'c', 1], ['ours', 'ours', 2], ['theirs', 'cpython', 8]),
        made('rates', 'higher', ['ours', 'ours', 2], ['theirs', 'cpython', 8]),
      ),
    );
    assert.match(text, /2026-01-02 03:04 UTC; load 0.5 at the begin, 0.75 at the end/);
    assert.match(text, /Node 20\.1\.2; Python 3\.11\n/);
    assert.match(text, /^\| C \| c \| 1 \| 0\.5 to 2 \| 3 \| 2\.00 \|$/m);
    assert.match(text, /^\| theirs \| cpython \| 8 \| 4 to 16 \| 3 \| 0\.250 \|$/m);
    assert.match(text, /^\| theirs \| cpython \| 8 \| 4 to 16 \| 3 \| 4\.00 \|$/m);
  });

  it('become a picture: a bar for the best of each kind, none where there is nobody to compare with', async () => {
    const { chart } = await load<{ chart: (data: Data) => string }>('bench_chart.mjs');
    const svg = chart(
      dataOf(
        made('a < b', 'lower', ['ours', 'ours', 2], ['slow', 'cpython', 40], ['fast', 'cpython', 8], ['C', 'c', 1]),
        made('alone', 'lower', ['ours', 'ours', 2]),
        { ...made('detail', 'lower', ['ours', 'ours', 2], ['C', 'c', 1]), chart: false },
      ),
    );
    const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"[^>]*><title>([^<]*)<\/title>/g)];
    assert.deepEqual(
      bars.map(([, , , title]) => title),
      ['C: 2.0', 'fast: 1/4.0'],
    );
    const [c, python] = bars.map(([, x, width]) => [Number(x), Number(x) + Number(width)] as const);
    const [one] = c as readonly [number, number];
    assert.ok(Math.abs((python?.[1] ?? 0) - one) < 0.2, 'both begin at the line of this library');
    assert.match(svg, />a &lt; b</);
    assert.match(svg, /a &lt;machine&gt;/);
    assert.doesNotMatch(svg, />alone<|>detail<|slow:/);
  });
});
