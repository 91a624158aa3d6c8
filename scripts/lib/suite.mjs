// Runs the compiled mocha suite in a process of its own, under a watchdog that can tell what hangs.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, root, say } from './run.mjs';

/** Folders below test/ that are no part of the suite: they have scripts of their own. */
const apart = ['packaging/', 'soak/'];

/** The compiled test files, by their sources: what out/test holds beside them is left from before. */
export function testFiles(wanted = () => true) {
  return filesBelow(path.join(root, 'test'))
    .filter((file) => file.endsWith('.test.ts') && !apart.some((folder) => file.startsWith(folder)) && wanted(file))
    .map((file) => `out/test/${file.replace(/\.ts$/, '.js')}`);
}

const mocha = ['--enable-source-maps', '--expose-gc', 'node_modules/mocha/bin/mocha.js', '--no-config'];

function describeRun(processes, run, progress) {
  const state = existsSync(progress) ? JSON.parse(readFileSync(progress, 'utf8')) : {};
  const alive = processes.withEnvironment(`MP_TEST_RUN=${run}`).map(({ pid }) => processes.describeProcess(pid));
  return [`running: ${state.running ?? 'nothing yet'} (${state.file ?? 'no file'})`, ...alive].join('\n');
}

/**
 * Resolves with the counts. After `limit` seconds it says which test is running and what each process of the run does,
 * and kills them all. Processes that outlive the run count as a failure, and are killed as well. `without`: parts of the
 * names of tests that are to be left out, as regular expressions.
 */
export async function runSuite({
  files,
  node = process.execPath,
  env = {},
  limit = 900,
  timeout = 90_000,
  census = true,
  without = [],
}) {
  const processes = await import(pathToFileURL(path.join(root, 'out/test/support/processes.js')).href);
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-suite-'));
  const progress = path.join(folder, 'progress.json');
  const hooks = census ? ['--require', './out/test/support/census.js'] : [];
  const color = process.stdout.isTTY ? '--color' : '--no-color'; // CI=true alone would mean colours to mocha
  const flags = [
    '--reporter',
    './test/support/ci_reporter.mjs',
    '--timeout',
    String(timeout),
    '--forbid-only',
    color,
    ...hooks,
    ...(without.length > 0 ? ['--grep', without.join('|'), '--invert'] : []),
  ];
  const killAll = () => {
    const alive = processes.withEnvironment(`MP_TEST_RUN=${folder}`);
    for (const { pid } of alive) process.kill(pid, 'SIGKILL');
    return alive;
  };

  const child = spawn(node, [...mocha, ...flags, ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env, MP_TEST_PROGRESS: progress, MP_TEST_RUN: folder },
  });
  const watchdog = setTimeout(() => {
    say(`The tests are not through after ${limit} s.\n${describeRun(processes, folder, progress)}`);
    killAll();
  }, limit * 1000);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (...how) => resolve(how));
  });
  clearTimeout(watchdog);

  const state = existsSync(progress) ? JSON.parse(readFileSync(progress, 'utf8')) : {};
  const counts = { passed: state.passed ?? 0, failed: state.failed ?? 0, skipped: state.skipped ?? 0 };
  const left = killAll();
  if (left.length > 0) say(`Left running: ${left.map(({ pid, name }) => `${pid} (${name})`).join(', ')}`);
  if (code !== Math.min(counts.failed, 255)) {
    say(`The test process ended with ${signal ?? `code ${code}`}; last: ${state.running ?? 'all was through'}`);
  }
  // Mocha ends with the number of failures. Anything else, and whatever is left running, is one more.
  if (left.length > 0 || code !== Math.min(counts.failed, 255) || state.running !== undefined) counts.failed += 1;
  rmSync(folder, { recursive: true });
  return counts;
}
