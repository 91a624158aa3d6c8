// The picture of a run: for each comparison a bar from this library, the line at 1, to the best of each other kind; to the right where
// that one is better, on a logarithmic scale. Readable on light and on dark ground.
import { baseOf, gain, where } from './bench_results.mjs';

const KINDS = {
  c: ['C', '#8a63d2'],
  cpython: ['CPython', '#3b82c4'],
  node: ["Node's own means", '#4f9d4f'],
  npm: ['npm packages', '#c2772d'],
};
const WIDTH = 1000;
const LABELS = 420;
const RIGHT = 40;
const BAR = 11;
const GAP = 9;
const TOP = 76;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, content, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;

/** The best of each kind beside the first of ours; none where there is nobody to compare with. */
function barsOf(one) {
  const base = baseOf(one);
  if (!one.chart || base === undefined) return [];
  return Object.keys(KINDS).flatMap((kind) => {
    const all = one.results.filter((result) => result.kind === kind);
    if (all.length === 0) return [];
    const [best] = all.toSorted((a, b) => gain(one, base, b) - gain(one, base, a));
    return [{ kind, name: best.name, ratio: gain(one, base, best) }];
  });
}

/** Around all bars and their figures, with a tick at each power of ten. */
function scaleOf(ratios) {
  const least = Math.log10(Math.min(0.5, ...ratios) / 1.6);
  const most = Math.log10(Math.max(2, ...ratios) * 1.3);
  const x = (ratio) => LABELS + ((Math.log10(ratio) - least) / (most - least)) * (WIDTH - LABELS - RIGHT);
  const powers = Array.from({ length: 25 }, (_, index) => index - 12);
  return { x, ticks: powers.filter((power) => power >= least && power <= most).map((power) => 10 ** power) };
}

const rounded = (number) => Number(number.toFixed(1));
const figure = (ratio) => (ratio >= 99.5 ? ratio.toFixed(0) : ratio.toPrecision(2));
const times = (ratio) => (ratio < 0.95 ? `1/${figure(1 / ratio)}` : figure(ratio));

function bar({ kind, name, ratio }, y, x) {
  const [from, to] = [x(1), x(ratio)].toSorted((a, b) => a - b).map(rounded);
  const [anchor, at] = ratio < 1 ? ['end', from - 4] : ['start', to + 4];
  return [
    `<rect x="${from}" y="${y}" width="${Math.max(1, rounded(to - from))}" height="${BAR - 2}" fill="${KINDS[kind][1]}">`,
    `<title>${escaped(`${name}: ${times(ratio)}`)}</title></rect>`,
    text(rounded(at), y + BAR - 3, times(ratio), `class="figure" text-anchor="${anchor}"`),
  ].join('');
}

function legend() {
  return Object.values(KINDS).map(
    ([name, color], index) =>
      `<rect x="${LABELS + index * 135}" y="36" width="10" height="10" fill="${color}"/>${text(LABELS + 15 + index * 135, 45, name)}`,
  );
}

const STYLE = `<style>
text { font: 11px system-ui, sans-serif; fill: #24292f; }
.figure, .small { font-size: 9px; }
.title { font-size: 14px; font-weight: 600; }
line { stroke: #d0d7de; } .one { stroke: #57606a; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } line { stroke: #30363d; } .one { stroke: #8b949e; } }
</style>`;

/** `data`: as of results.json. */
export function chart(data) {
  const rows = data.results
    .map((one) => ({ title: one.title, bars: barsOf(one) }))
    .filter(({ bars }) => bars.length > 0);
  const { x, ticks } = scaleOf(rows.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const parts = [];
  let y = TOP;
  for (const { title, bars } of rows) {
    parts.push(text(LABELS - 12, y + (bars.length * BAR) / 2 + 3, title, 'text-anchor="end"'));
    for (const one of bars) {
      parts.push(bar(one, y, x));
      y += BAR;
    }
    y += GAP;
  }
  const grid = ticks.flatMap((tick) => {
    const at = rounded(x(tick));
    const line = `<line x1="${at}" y1="${TOP - 8}" x2="${at}" y2="${y}"${tick === 1 ? ' class="one"' : ''}/>`;
    return [line, text(at, TOP - 12, tick === 1 ? 'this library' : times(tick), 'class="small" text-anchor="middle"')];
  });
  const notes = where(data).map((line, index) => text(10, y + 16 + index * 13, line, 'class="small"'));
  const height = y + 16 + notes.length * 13;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '<title>Benchmarks: the best of the others beside this library</title>',
    STYLE,
    text(
      10,
      25,
      'The best of the others beside this library: to the right they are faster (or smaller), to the left slower',
      'class="title"',
    ),
    ...legend(),
    ...grid,
    ...parts,
    ...notes,
    '</svg>\n',
  ].join('\n');
}
