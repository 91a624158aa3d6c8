/** A treesum that runs: what it has printed so far, which processes it has, how it ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childrenOf, descriptorsOf } from '../support/processes.js';
import { PATIENCE, waitFor } from '../support/watchdog.js';

const main = fileURLToPath(new URL('../../examples/treesum/main.js', import.meta.url));

/** What starts the tool, the command itself first. */
export function commandFor(args: readonly string[]): string[] {
  return [process.execPath, main, ...args];
}

export interface Ending {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class Job {
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;
  #code: number | null | undefined;

  constructor(command: readonly string[]) {
    const [program = '', ...args] = command;
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#process[name]?.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
      });
    }
    // Every forked process has stdout and stderr too: when they are closed, nobody is left.
    this.#process.on('close', (code) => {
      this.#code = code;
    });
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** The forked processes of the job, the scout among them. */
  get children(): number[] {
    return childrenOf(this.pid).map(({ pid }) => pid);
  }

  /** Those that have a file open whose path ends so. */
  childrenReading(name: string): number[] {
    return this.children.filter((pid) => [...descriptorsOf(pid).values()].some((target) => target.endsWith(name)));
  }

  printed(pattern: RegExp): Promise<boolean> {
    return waitFor(`output like ${pattern}`, () => pattern.test(this.stdout + this.stderr));
  }

  type(keys: string): void {
    this.#process.stdin?.write(keys);
  }

  get hasEnded(): boolean {
    return this.#code !== undefined;
  }

  /** Resolves when the last of its processes has ended. */
  async end(): Promise<Ending> {
    await waitFor('the end of treesum', () => this.hasEnded, PATIENCE);
    return { code: this.#code ?? null, stdout: this.stdout, stderr: this.stderr };
  }

  [Symbol.dispose](): void {
    this.#process.stdin?.destroy();
    this.#process.kill('SIGKILL');
  }
}

/** Runs one to its end. `under`: a program that is to run it, and its own arguments. */
export async function treesum(args: readonly string[], under: readonly string[] = []): Promise<Ending> {
  using job = new Job([...under, ...commandFor(args)]);
  return await job.end();
}
