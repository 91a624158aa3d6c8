/**
 * A template: a copy of this process that does nothing but fork workers. What closures have captured is in it as it was
 * when they were first submitted, whenever a worker is needed later; and the program is copied once, not once a worker.
 */

import { AsyncResource } from 'node:async_hooks';
import type { Connection } from '../connection/connection.js';
import { socketPipe } from '../connection/pipe.js';
import { EndOfFileError, ProcessError } from '../errors.js';
import { perProcess } from '../internal/per_process.js';
import { READABLE, stopWaiting, waitReadySync, whenReady } from '../internal/readiness.js';
import { Process } from '../process/process.js';
import { tree } from '../process/tree.js';
import { endOf, type Host, type HostedWorker } from './host.js';
import type { Assignment } from './protocol.js';
import { rehearsePool } from './rehearsal.js';
import { type Answer, beTemplate, type Request } from './template_life.js';

/** No async context of the program's: not that of who happened to submit the first task. */
const outside = new AsyncResource('Pool');

const SIGKILLED = -9;

interface Asked {
  started(pid: number): void;
  failed(error: unknown): void;
  ended(exitCode: number): void;
}

/** Their ends here are nothing that other children should have. */
const connections = perProcess(
  () => new Set<Connection>(),
  (inherited, kind) => {
    if (kind === 'raw') return inherited;
    for (const connection of inherited) connection.close();
    return new Set();
  },
);

export class Template implements Host {
  readonly #connection: Connection;
  readonly #process: Process;
  readonly #ready: Promise<void>;
  readonly #asked: Map<number, Asked> = new Map();
  readonly ended: Promise<void>;
  #count = 0;
  #isLost = false;

  /** Is forked at the next clean point of the event loop. `initArgs` are in its memory, they need not travel. */
  constructor(initArgs: readonly unknown[]) {
    rehearsePool();
    const [ours, theirs] = socketPipe();
    this.#connection = ours;
    connections.value.add(ours);
    this.#process = tree.unnumbered(
      () =>
        new Process({
          target: () => beTemplate(theirs, initArgs),
          name: 'Pool',
          daemon: true,
          startMethod: 'fork',
        }),
    );
    this.#ready = outside.runInAsyncScope(() => this.#begin(theirs));
    this.ended = this.#ready.then(
      () => this.#listen(),
      () => {},
    );
  }

  async #begin(theirs: Connection): Promise<void> {
    try {
      await this.#process.start();
    } catch (error) {
      this.#lose();
      throw error;
    } finally {
      theirs.close();
    }
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Resolves when it is there. @throws ERR_MP_START_METHOD */
  get ready(): Promise<void> {
    return this.#ready;
  }

  async start(name: string, assignment: Assignment): Promise<HostedWorker> {
    await this.#ready;
    this.#count += 1;
    const number = this.#count;
    let end: (exitCode: number) => void = () => {};
    const ended = new Promise<number>((resolve) => {
      end = resolve;
    });
    const pid = await new Promise<number>((started, failed) => {
      if (this.#isLost) throw new ProcessError('the process that forks the workers has ended');
      this.#asked.set(number, { started, failed, ended: end });
      this.#ask({ kind: 'start', number, name, assignment: { ...assignment, initArgs: [] } });
    });
    return { pid, ended, signal: (signal) => this.#ask({ kind: 'signal', number, signal }) };
  }

  #ask(request: Request): void {
    if (this.#isLost) return;
    this.#connection.send(request).catch(() => {}); // its end tells
  }

  /** Until it has ended. */
  async #listen(): Promise<void> {
    const forEver = Number.POSITIVE_INFINITY;
    const isOver = endOf(this.#process).then(() => true);
    for (let over = false; !over; ) {
      const heard = whenReady(this.#connection.fd, READABLE, forEver, undefined, { ref: false });
      over = await Promise.race([heard.then(() => false), isOver]);
      if (!this.#hearAll()) over = await isOver;
    }
    this.#lose();
    this.#process.close();
  }

  /** False when nothing will come any more. */
  #hearAll(): boolean {
    if (this.#connection.closed) return false;
    const { fd } = this.#connection;
    while (waitReadySync(fd, READABLE, Number.NEGATIVE_INFINITY)) {
      try {
        this.#hear(this.#connection.recvSync() as Answer);
      } catch (error) {
        if (error instanceof EndOfFileError) return false;
        throw error;
      }
    }
    return true;
  }

  #hear(answer: Answer): void {
    const asked = this.#asked.get(answer.number);
    if (answer.kind === 'started') {
      asked?.started(answer.pid);
      return;
    }
    this.#asked.delete(answer.number);
    if (answer.kind === 'failed') asked?.failed(answer.error);
    else asked?.ended(answer.exitCode);
  }

  /** Its workers ended with it. */
  #lose(): void {
    this.#isLost = true;
    for (const { failed, ended } of this.#asked.values()) {
      failed(new ProcessError('the process that forks the workers has ended'));
      ended(SIGKILLED);
    }
    this.#asked.clear();
    this.close();
  }

  /** It stops its workers, and ends. */
  close(): void {
    this.#isLost = true;
    if (this.#connection.closed) return;
    connections.value.delete(this.#connection);
    stopWaiting(this.#connection.fd);
    this.#connection.close();
  }
}
