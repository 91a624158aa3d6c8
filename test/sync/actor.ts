/** Processes that do what they are told, one line after the other: the other side in tests of shared objects. */

import { readFileSync } from 'node:fs';
import { type Connection, Pipe, Process, type StartMethod } from 'posix-multiprocessing';
import { waitFor } from '../support/watchdog.js';
import { end } from './locks.js';

export type Deeds = Record<string, (...args: never[]) => unknown>;
export interface Order {
  readonly id: number;
  readonly deed: string;
  readonly args: unknown[];
}
export interface Report {
  readonly id: number;
  /** It has been called; what blocks says so before it does. */
  readonly begun?: true;
  readonly value?: unknown;
  readonly error?: { name: string; code: string | undefined; message: string };
}

/** An error of the actor's: its code is what tests look at. */
export class ActorError extends Error {
  readonly code: string | undefined;
  constructor({ name, code, message }: NonNullable<Report['error']>) {
    super(`${name}: ${message}`);
    this.code = code;
  }
}

function blocks(deed: string): boolean {
  return deed.endsWith('Sync');
}

/** Whether the main thread of the process sleeps in futex(2) or futex_waitv(2). */
function sleeps(pid: number): boolean {
  return /^(202|449) /.test(readFileSync(`/proc/${pid}/syscall`, 'latin1'));
}

/** Until nobody is left who could give orders. */
export async function act(deeds: Deeds, orders: Connection<Order>, reports: Connection<Report>): Promise<void> {
  const run = async ({ id, deed, args }: Order): Promise<void> => {
    try {
      if (blocks(deed)) reports.sendSync({ id, begun: true });
      const outcome = (deeds[deed] as (...args: unknown[]) => unknown)(...args);
      if (!blocks(deed)) reports.sendSync({ id, begun: true });
      const value = await outcome;
      reports.sendSync(value === undefined ? { id } : { id, value });
    } catch (error) {
      const { name, code, message } = error as NodeJS.ErrnoException;
      reports.sendSync({ id, error: { name, code, message } });
    }
  };
  // What blocks lets later orders wait; what awaits does not.
  for await (const order of orders) void run(order);
}

interface Open {
  readonly begun: () => void;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class Actor<D extends Deeds> implements AsyncDisposable {
  readonly process: Process;
  readonly #orders: Connection<Order>;
  readonly #reports: Connection<Report>;
  readonly #open: Map<number, Open> = new Map();
  #last = 0;

  static async start<D extends Deeds>(deeds: D): Promise<Actor<D>> {
    const [ordersIn, ordersOut] = Pipe<Order>({ duplex: false });
    const [reportsIn, reportsOut] = Pipe<Report>({ duplex: false });
    const child = new Process({
      target: () => {
        ordersOut.close();
        reportsIn.close();
        return act(deeds, ordersIn, reportsOut);
      },
    });
    await child.start();
    ordersIn.close();
    reportsOut.close();
    return new Actor<D>(child, ordersOut, reportsIn);
  }

  /** By any start method: `target` is importable, and calls act(). */
  static async of<D extends Deeds, A extends readonly unknown[]>(
    startMethod: StartMethod,
    target: (orders: Connection<Order>, reports: Connection<Report>, ...args: A) => Promise<void>,
    ...args: A
  ): Promise<Actor<D>> {
    const [ordersIn, ordersOut] = Pipe<Order>();
    const [reportsIn, reportsOut] = Pipe<Report>();
    const child = new Process({ startMethod, target, args: [ordersIn, reportsOut, ...args] });
    await child.start();
    ordersIn.close();
    reportsOut.close();
    return new Actor<D>(child, ordersOut, reportsIn);
  }

  private constructor(child: Process, orders: Connection<Order>, reports: Connection<Report>) {
    this.process = child;
    this.#orders = orders;
    this.#reports = reports;
    void this.#listen();
  }

  get pid(): number {
    return this.process.pid as number;
  }

  /** Resolves with what the deed gives; rejects with an ActorError. */
  do<K extends keyof D & string>(deed: K, ...args: Parameters<D[K]>): Promise<Awaited<ReturnType<D[K]>>> {
    return this.#order<Awaited<ReturnType<D[K]>>>(deed, args, () => {});
  }

  /** Resolves once the actor waits; `outcome` is what do() gives. */
  async begin<K extends keyof D & string>(
    deed: K,
    ...args: Parameters<D[K]>
  ): Promise<{ outcome: Promise<Awaited<ReturnType<D[K]>>> }> {
    let begun = false;
    const outcome = this.#order<Awaited<ReturnType<D[K]>>>(deed, args, () => (begun = true));
    outcome.catch(() => {});
    await waitFor(`${deed} to begin`, () => begun && (!blocks(deed) || sleeps(this.pid)));
    return { outcome };
  }

  /** Whatever it is doing; what it was told to do never settles. */
  async kill(): Promise<void> {
    this.#open.clear();
    await end(this.process);
    this.#orders.close();
    this.#reports.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#orders.closed) await this.kill();
  }

  #order<R>(deed: string, args: unknown[], begun: () => void): Promise<R> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { begun, resolve, reject });
      this.#orders.sendSync({ id, deed, args });
    });
  }

  async #listen(): Promise<void> {
    try {
      for await (const { id, begun, value, error } of this.#reports) {
        const open = this.#open.get(id);
        if (begun === true) {
          open?.begun();
          continue;
        }
        this.#open.delete(id);
        if (error === undefined) open?.resolve(value as never);
        else open?.reject(new ActorError(error));
      }
    } catch {
      // Closed by kill().
    }
  }
}
