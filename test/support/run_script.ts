/** Runs a script in a fresh node and reports how it ended, by itself or by the watchdog. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeProcess, withEnvironment } from './processes.js';
import { PATIENCE } from './watchdog.js';

export interface ScriptOptions {
  /** What the script finds in process.argv.slice(2); for a text, slice(1). */
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node itself. */
  readonly nodeFlags?: readonly string[];
  /** The node to run; default: the one that runs this. */
  readonly node?: string;
  /** Written to its stdin, which is then closed. */
  readonly input?: string;
  readonly cwd?: string;
  /** Milliseconds until everything that the script started is killed. */
  readonly timeout?: number;
  /** Called with the pid once the process runs, e.g. to send it signals. */
  readonly onStart?: (pid: number) => void;
}

export interface ScriptResult {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The watchdog had to kill it. */
  readonly timedOut: boolean;
  /** When it timed out: what each of its processes was doing. */
  readonly facts: string;
}

/** The checkout, from where a script's text can import the package by its name. */
const root: string = fileURLToPath(new URL('../../..', import.meta.url));

let runs = 0;

/**
 * `script` is the text of an ES module, or the URL of a file. Resolves when the process and everybody else who holds
 * its stdout and stderr, forked children above all, has ended.
 */
export function runScript(script: string | URL, options: ScriptOptions = {}): Promise<ScriptResult> {
  const what = script instanceof URL ? [fileURLToPath(script)] : ['--input-type=module', '--eval', script, '--'];
  const mark = `${process.pid}-${++runs}`;
  const child = spawn(
    options.node ?? process.execPath,
    [...(options.nodeFlags ?? []), ...what, ...(options.args ?? [])],
    {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env, MP_TEST_SCRIPT: mark },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on('error', () => {}); // a script that ends without reading its stdin is fine
  child.stdin.end(options.input ?? '');

  let facts: string | undefined;
  const watchdog = setTimeout(() => {
    const alive = withEnvironment(`MP_TEST_SCRIPT=${mark}`);
    facts = alive.map(({ pid }) => describeProcess(pid)).join('\n');
    for (const { pid } of alive) process.kill(pid, 'SIGKILL');
  }, options.timeout ?? PATIENCE);

  return new Promise((resolve, reject) => {
    child.on('spawn', () => options.onStart?.(child.pid as number));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(watchdog);
      resolve({ code, signal, ...output, timedOut: facts !== undefined, facts: facts ?? '' });
    });
  });
}
