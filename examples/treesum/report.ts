/** What is printed at the end. */

import type { Alone } from './alone.js';
import type { FileTypes } from './file_types.js';
import type { Omissions } from './omissions.js';
import { inBytes, inFull, inTime, plural, printable } from './text.js';
import { effort, type Total } from './totals.js';

/** Types that get a line of their own. */
const TYPES_LISTED = 15;

interface Row extends Total {
  name: string;
}

/** Files and bytes by type, the largest types first. */
export function totalsTable(totals: Total[], types: FileTypes): string {
  const rows = totals
    .map((total, number): Row => ({ name: types.nameOf(number), ...total }))
    .filter(({ files }) => files > 0)
    .sort((a, b) => b.bytes - a.bytes || b.files - a.files);
  const all = sum('total', rows);
  const others = rows.slice(TYPES_LISTED);
  const listed = others.length < 2 ? rows : [...rows.slice(0, TYPES_LISTED), sum(`${others.length} others`, others)];
  return layOut([
    ['type', 'files', 'bytes', 'share'],
    ...[...listed, all].map(({ name, files, bytes }) => [name, inFull(files), inBytes(bytes), share(bytes, all.bytes)]),
  ]);
}

function sum(name: string, rows: Row[]): Row {
  return rows.reduce((a, b) => ({ name, files: a.files + b.files, bytes: a.bytes + b.bytes }), {
    name,
    files: 0,
    bytes: 0,
  });
}

function share(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** The first column to the left, the others to the right. */
function layOut(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd : cell.padStart).call(cell, widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** Counts by reason, and the first few by name. '' if there are none. */
export function omissionsList({ named, count, countByReason }: Omissions): string {
  if (count === 0) return '';
  const reasons = [...countByReason]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, times]) => `${reason}: ${inFull(times)}`);
  const names = named.map(({ path, reason }) => `  ${printable(path)}: ${reason}\n`);
  const rest = count > named.length ? `  ... and ${inFull(count - named.length)} more\n` : '';
  return `not summed: ${inFull(count)} (${reasons.join(', ')})\n${names.join('')}${rest}`;
}

export interface Run extends Total {
  workers: number;
  milliseconds: number;
  /** Workers that were killed. */
  deaths: number;
}

export function speed({ files, bytes, workers, milliseconds, deaths }: Run): string {
  const perSecond = (amount: number): number => (1000 * amount) / milliseconds;
  const rates = `${inFull(perSecond(files))} files/s, ${inBytes(perSecond(bytes))}/s`;
  const replaced = deaths === 0 ? '' : `; ${plural(deaths, 'worker was', 'workers were')} killed and replaced`;
  return `${inTime(milliseconds)} with ${plural(workers, 'worker', 'workers')}: ${rates}${replaced}\n`;
}

/** Says how the number came about: `compareWithOne`. */
/** Says how the number came about: `sumAlone`. */
export function speedUp(run: Run, alone: Alone | undefined): string {
  if (alone === undefined || alone.files === 0) return 'speed-up: not measured\n';
  const milliseconds = alone.complete ? alone.milliseconds : (alone.milliseconds * effort(run)) / effort(alone);
  const how = alone.complete
    ? 'measured: it has just done the same once more, from the page cache'
    : `measured on ${inFull(alone.files)} files, from the page cache, and scaled by number and size of all`;
  return `speed-up: ${(milliseconds / run.milliseconds).toFixed(2)} against one process alone, which takes ${inTime(milliseconds)} (${how})\n`;
}

export function manifestPlace(file: string): string {
  const quoted = `'${file.replaceAll("'", "'\\''")}'`;
  return `manifest: ${file}\ncheck it: sha256sum --check --quiet ${quoted}\n`;
}
