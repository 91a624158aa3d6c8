/** What a template does: it forks workers. */

import type { Connection } from '../connection/connection.js';
import { Process } from '../process/process.js';
import { tree } from '../process/tree.js';
import { closeCopies } from './channel.js';
import { allClosures } from './functions.js';
import type { Assignment } from './protocol.js';
import { work } from './work.js';

export type Request =
  | { readonly kind: 'start'; readonly number: number; readonly name: string; readonly assignment: Assignment }
  | { readonly kind: 'signal'; readonly number: number; readonly signal: NodeJS.Signals };

export type Answer =
  | { readonly kind: 'started'; readonly number: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly number: number; readonly error: unknown }
  | { readonly kind: 'ended'; readonly number: number; readonly exitCode: number };

/** What of a worker's Process is used here. */
export type Child = Pick<Process, 'pid' | 'exitCode' | 'sendSignal' | 'join' | 'close'>;

/** Starts a worker, which has no use for the template's connection to the pool. */
export type Start = (name: string, pool: Connection, assignment: Assignment) => Promise<Child>;

/** Resolves when the pool is gone. */
export async function beTemplate(pool: Connection, initArgs: readonly unknown[]): Promise<void> {
  process.on('SIGINT', () => {});
  const closures = allClosures();
  await serve(pool, initArgs, fork);
  closures.at(0); // they have been kept until here
}

/** Forks, passes signals on, tells ends; in a rehearsal a double forks, and the requests end. */
export async function serve(
  pool: Connection,
  initArgs: readonly unknown[],
  start: Start,
  requests: AsyncIterable<Request> = pool as Connection<Request>,
): Promise<void> {
  const children = new Map<number, Child>();
  const tell = (answer: Answer): void => void pool.send(answer).catch(() => {});
  for await (const request of requests) {
    if (request.kind === 'signal') {
      children.get(request.number)?.sendSignal(request.signal);
      continue;
    }
    const { number, name, assignment } = request;
    try {
      const child = await start(name, pool, { ...assignment, initArgs });
      children.set(number, child);
      tell({ kind: 'started', number, pid: child.pid as number });
      void child.join().then(() => {
        tell({ kind: 'ended', number, exitCode: child.exitCode as number });
        children.delete(number);
        child.close();
      });
    } catch (error) {
      tell({ kind: 'failed', number, error });
    } finally {
      closeCopies(assignment.channel);
    }
  }
}

function fork(name: string, pool: Connection, assignment: Assignment): Promise<Process> {
  const target = (): Promise<void> => {
    pool.close();
    return work(assignment);
  };
  return tree.unnumbered(() => new Process({ target, name, daemon: true, startMethod: 'fork' })).start();
}
