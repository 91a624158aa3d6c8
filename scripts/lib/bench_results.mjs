// Where and when benchmarks ran, and their results in words.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './run.mjs';

/** The first line that a program prints of its version; undefined where it is not installed. */
function versionOf(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? (stdout || stderr).split('\n')[0] : undefined;
}

/** The averages of the last 1, 5 and 15 minutes. */
export const loadNow = () => os.loadavg().map((load) => Number(load.toFixed(2)));

/** What figures depend on. */
export function circumstances() {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const [{ model }] = os.cpus();
  return {
    machine: {
      processors: os.availableParallelism(),
      model,
      memoryGB: Number((os.totalmem() / 2 ** 30).toFixed(1)),
      system: `${os.type()} ${os.release()} ${os.arch()}`,
    },
    versions: {
      'posix-multiprocessing': version,
      node: process.version,
      python: versionOf('python3', '--version'),
      cc: versionOf('cc', '--version'),
    },
  };
}

/** '3.14', '1,820'. */
export function shown(figure) {
  if (figure === 0) return '0';
  if (Math.abs(figure) >= 100) return Math.round(figure).toLocaleString('en');
  return String(Number(figure.toPrecision(3)));
}

/** What the others are compared with: the first of ours. */
export const baseOf = ({ results }) => results.find(({ kind }) => kind === 'ours');

/** How many times as good as the base: above 1 is better, whether figures are times or rates. */
export function gain({ better }, base, { median }) {
  return better === 'lower' ? base.median / median : median / base.median;
}

/** One line for below a table or a picture. */
export function where({ machine, versions, begin, end, isQuick }) {
  const { processors, model, memoryGB, system } = machine;
  const loads = `load ${begin.load[0]} at the begin, ${end.load[0]} at the end`;
  const programs = [`Node ${versions.node.slice(1)}`, versions.python, versions.cc].filter(Boolean).join('; ');
  const rounds = isQuick ? ' (quick: few rounds)' : '';
  return [
    `${begin.date.slice(0, 16).replace('T', ' ')} UTC; ${loads}${rounds}`,
    `${processors} processors, ${model}, ${memoryGB} GB; ${system}`,
    programs,
  ];
}

export function markdown(data) {
  const tables = data.results.map((one) => {
    const base = baseOf(one);
    const rows = one.results.map((result) => {
      const { name, kind, median, q1, q3, rounds } = result;
      const ratio = base === undefined ? '' : gain(one, base, result).toPrecision(3);
      return `| ${[name, kind, shown(median), `${shown(q1)} to ${shown(q3)}`, rounds, ratio].join(' | ')} |`;
    });
    const unit = `${one.unit || 'ratio'}, ${one.better} is better`;
    const header = `| ${one.bench} | whose | median | middle half | rounds | times as good as ${base?.name ?? '–'} |`;
    return [
      `## ${one.title}`,
      `${unit}\n\n${header}\n| --- | --- | ---: | ---: | ---: | ---: |\n${rows.join('\n')}`,
    ].join('\n\n');
  });
  return `${['# Benchmarks', where(data).join('  \n'), ...tables].join('\n\n')}\n`;
}
