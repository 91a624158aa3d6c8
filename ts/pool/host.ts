/** Where the workers of a pool come from. */

import { StartMethodError } from '../errors.js';
import { READABLE, whenReady } from '../internal/readiness.js';
import { packageFile } from '../native/load.js';
import { Process } from '../process/process.js';
import type { StartMethod } from '../process/start_method.js';
import { tree } from '../process/tree.js';
import type { Assignment } from './protocol.js';

/** A worker as its host knows it. */
export interface HostedWorker {
  readonly pid: number;
  /** Resolves with the exit code, as Process has it. Doesn't keep this process alive. */
  readonly ended: Promise<number>;
  /** No effect on an ended one. */
  signal(signal: NodeJS.Signals): void;
}

export interface Host {
  /** Starts a worker; the assignment is copied. */
  start(name: string, assignment: Assignment): Promise<HostedWorker>;
  /** Resolves when it can start workers. */
  readonly ready: Promise<void>;
  /** True when it can't start any more: it has died. */
  readonly isLost: boolean;
  /** Ends what is left of its workers, and itself. */
  close(): void;
  /** Resolves when nothing of it is left. Doesn't keep this process alive. */
  readonly ended: Promise<void>;
}

const MAIN = packageFile('fresh_worker.js#work');

/** Workers that this process starts itself, one by one. */
export class ProcessHost implements Host {
  readonly ready: Promise<void> = Promise.resolve();
  readonly isLost = false;
  #method: StartMethod;
  readonly #orSpawn: boolean;
  readonly #children: Set<Process> = new Set();
  #isClosed = false;
  #resolveEnded: () => void = () => {};
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#resolveEnded = resolve;
  });

  /** `orSpawn`: where that method is refused, fresh processes will do. */
  constructor(method: StartMethod, orSpawn: boolean) {
    this.#method = method;
    this.#orSpawn = orSpawn;
  }

  async start(name: string, assignment: Assignment): Promise<HostedWorker> {
    const child = await this.#begin(name, assignment);
    if (this.#isClosed) child.terminate();
    return {
      pid: child.pid as number,
      ended: endOf(child).then(() => {
        const code = child.exitCode as number;
        child.close();
        this.#forget(child);
        return code;
      }),
      signal: (signal) => {
        if (this.#children.has(child)) child.sendSignal(signal);
      },
    };
  }

  async #begin(name: string, assignment: Assignment): Promise<Process> {
    const startMethod = this.#method;
    const child = tree.unnumbered(
      () => new Process({ target: MAIN, args: [assignment], name, daemon: true, startMethod }),
    );
    this.#children.add(child);
    try {
      return await child.start();
    } catch (error) {
      const isRefused = error instanceof StartMethodError && error.cause === undefined;
      if (!isRefused || !this.#orSpawn || startMethod === 'spawn' || this.#isClosed) throw error;
    } finally {
      if (child.pid === undefined) this.#forget(child);
    }
    this.#method = 'spawn';
    return this.#begin(name, assignment);
  }

  close(): void {
    this.#isClosed = true;
    for (const child of this.#children) if (child.pid !== undefined) stop(child);
    this.#endWhenEmpty();
  }

  #forget(child: Process): void {
    this.#children.delete(child);
    this.#endWhenEmpty();
  }

  #endWhenEmpty(): void {
    if (this.#isClosed && this.#children.size === 0) this.#resolveEnded();
  }
}

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 1000;

/** SIGTERM, and SIGKILL for who doesn't heed it. */
export function stop(child: Process): void {
  child.terminate();
  const timer = setTimeout(() => child.kill(), GRACE).unref();
  void endOf(child).then(() => clearTimeout(timer));
}

/** Resolves when it has ended. Doesn't keep this process alive. */
export async function endOf(child: Process): Promise<void> {
  await whenReady(child.sentinel, READABLE, Number.POSITIVE_INFINITY, undefined, { ref: false });
}
