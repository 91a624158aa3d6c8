/** What a worker does: takes tasks, runs them one after the other, answers. */

import { EndOfFileError, SerializationError } from '../errors.js';
import { onceReady, READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { recycledCopy } from '../internal/recycled_memory.js';
import { Spinning } from '../internal/spinning.js';
import { isThenable } from '../internal/thenable.js';
import { findAt } from '../process/importable.js';
import { EMPTY, ENDED, FULL } from '../queues/message_ring.js';
import { bareTravelling, travelling } from '../serialization/remote_error.js';
import { encode } from '../serialization/serialize.js';
import { ChunkRun } from './chunk_run.js';
import { runInContext } from './context.js';
import { type CurrentTask, currentTask } from './current_task.js';
import { type Callable, closureNumbered } from './functions.js';
import { memoryOf } from './memory.js';
import { Progress } from './progress.js';
import type { Assignment, Control, ResultMessage, TaskMessage } from './protocol.js';
import { CHUNK, FAILED, LAST, MEMORY, READY, TIMED } from './protocol.js';
import { Untold } from './untold.js';

/** Where in a message of results the value is. */
const PAYLOAD = 'message[3]';

/** Milliseconds of tasks without a turn of the event loop. */
const TURN = 8;
/** Milliseconds between looks at the memory. */
const MEMORY_INTERVAL = 200;

export class TaskLoop {
  readonly #assignment: Assignment;
  readonly progress: Progress;
  /** What the task that runs sees of itself. */
  readonly current: CurrentTask;
  /** Of the chunk that runs. */
  readonly untold: Untold = new Untold();
  readonly #functions: Map<number, Callable> = new Map();
  readonly #spinning: Spinning = new Spinning();
  readonly #imports: Promise<Callable>[] = [];
  #heard = 0;
  #isLeaving = false;
  #wake: (() => void) | undefined;
  #turnBegan = 0;
  #memoryTold = Number.NEGATIVE_INFINITY;

  constructor(assignment: Assignment, current: CurrentTask = currentTask()) {
    this.#assignment = assignment;
    this.current = current;
    this.progress = new Progress(assignment.channel.words.array);
  }

  /** Resolves when it was told to leave. */
  async run(): Promise<void> {
    this.#watchControl();
    try {
      await this.#initialize();
    } catch (error) {
      this.#put([0, 0, READY | FAILED, travelling(error), 0]);
      return;
    }
    this.#put([0, 0, READY, process.pid, 0]);
    const { tasks } = this.#assignment.channel;
    this.beginTurn();
    for (;;) {
      if (this.#assignment.isFresh && tasks.size > 0) await this.#importFunctions();
      let taken: unknown;
      try {
        taken = tasks.take(true, true);
        if (taken instanceof Promise) taken = await taken;
      } catch (error) {
        // The pool knows which task it was: they are answered in their order.
        this.fail(0, 0, LAST, error, 0);
        this.over();
        continue;
      }
      if (taken === ENDED) return;
      if (taken === EMPTY) {
        if (this.#isLeaving) return;
        await this.#rest();
        continue;
      }
      const running = this.#perform(taken as TaskMessage);
      if (running !== undefined) await running;
      if (this.isTurnOver()) await this.turn();
    }
  }

  async #initialize(): Promise<void> {
    const { initializer, initArgs } = this.#assignment;
    if (initializer === undefined) return;
    const { fn, place } = initializer;
    const call = place === undefined ? closureNumbered(fn) : await findAt(place);
    await call?.(...initArgs);
  }

  // ---- the event loop

  beginTurn(): void {
    this.#turnBegan = performance.now();
  }

  isTurnOver(): boolean {
    return performance.now() - this.#turnBegan > TURN;
  }

  /** Lets timers, sockets and the pool's words have their turn. */
  async turn(): Promise<void> {
    await new Promise(setImmediate);
    this.beginTurn();
  }

  /** Until there is something to do. This alone keeps the worker alive: a task for which nothing is pending never settles. */
  async #rest(): Promise<void> {
    const { tasks } = this.#assignment.channel;
    const microseconds = this.#spinning.next();
    if (microseconds > 0) {
      const found = tasks.spin(microseconds);
      this.#spinning.tell(found);
      if (found) return;
    }
    tasks.trimWhenIdle();
    await new Promise<void>((resolve) => {
      const callOff = onceReady(tasks.bells().items, READABLE, tasks, resolve);
      this.#wake = () => {
        callOff();
        resolve();
      };
    });
    this.#wake = undefined;
    this.beginTurn();
  }

  // ---- the pool's words

  #watchControl(): void {
    const { control } = this.#assignment.channel;
    void whenReady(control.fd, READABLE, Number.POSITIVE_INFINITY, undefined, { ref: false }).then(() => {
      if (control.closed) return; // in a rehearsal: a worker keeps it to its end
      this.#listen();
      this.#watchControl();
    });
  }

  readonly look = (): void => {
    if (this.progress.spoken !== this.#heard) this.#listen();
  };

  #listen(): void {
    const { control } = this.#assignment.channel;
    while (waitReadySync(control.fd, READABLE, Number.NEGATIVE_INFINITY)) this.#hear();
  }

  /** Waits for the next word. */
  #hear(): void {
    let word: Control;
    try {
      word = this.#assignment.channel.control.recvSync();
    } catch (error) {
      // The pool's process is gone, and nobody wants what is done here.
      if (error instanceof EndOfFileError) process.exit(1);
      throw error;
    }
    this.#heard = (this.#heard + 1) | 0;
    if (word.kind === 'function') {
      const { fn, place } = word;
      const found = findAt(place).then((call) => this.#found(fn, call));
      found.catch(() => {}); // its tasks tell
      this.#imports.push(found);
      this.#functions.set(fn, (...args) => found.then((call) => call(...args)));
    } else if (word.kind === 'leave') {
      this.#isLeaving = true;
      this.#wake?.();
    } else if (word.id === this.current.id && (word.item === -1 || word.item === this.current.item)) {
      if (word.item === -1) this.stopped = word.id;
      this.current.abort(word.reason);
    }
  }

  /** The task of which nothing more is wanted. */
  stopped = 0;

  #found(fn: number, found: Callable): Callable {
    this.#functions.set(fn, found);
    return found;
  }

  #function(fn: number): Callable {
    const known = this.#functions.get(fn);
    if (known !== undefined) return known;
    const closure = closureNumbered(fn);
    if (closure !== undefined) return this.#found(fn, closure);
    while (!this.#functions.has(fn)) this.#hear();
    return this.#function(fn);
  }

  /** Modules first: they may register how their classes travel. Those that can't be had fail their tasks, not the worker. */
  async #importFunctions(): Promise<void> {
    this.look();
    if (this.#imports.length > 0) await Promise.allSettled(this.#imports.splice(0));
  }

  // ---- tasks

  /** undefined when it is over already. */
  #perform(task: TaskMessage): Promise<void> | undefined {
    const [id, fn, flags, , context] = task;
    this.progress.begin(id, (flags & TIMED) !== 0);
    this.current.begin(id, this.look);
    const call = this.#function(fn);
    return context === undefined ? this.#begin(call, task) : runInContext(context, () => this.#begin(call, task));
  }

  #begin(call: Callable, task: TaskMessage): Promise<void> | undefined {
    const [id, , flags, items] = task;
    if ((flags & CHUNK) !== 0) return new ChunkRun(this, call, task).run();
    const began = performance.now();
    let value: unknown;
    try {
      value = call(...(items as readonly unknown[]));
    } catch (error) {
      this.fail(id, 0, LAST, error, performance.now() - began);
      this.over();
      return undefined;
    }
    if (isThenable(value)) return this.#settle(id, value, began);
    this.answer(id, 0, LAST, value, performance.now() - began);
    this.over();
    return undefined;
  }

  async #settle(id: number, promise: PromiseLike<unknown>, began: number): Promise<void> {
    try {
      const value = await promise;
      this.answer(id, 0, LAST, value, performance.now() - began);
    } catch (error) {
      this.fail(id, 0, LAST, error, performance.now() - began);
    }
    this.over();
    this.beginTurn();
  }

  /** All of the task has been answered. */
  over(): void {
    this.current.end();
    this.progress.end();
  }

  /** Results of a chunk; false when there is something in them that can't travel. */
  tryAnswer(id: number, first: number, flags: number, values: unknown, milliseconds: number): boolean {
    const message: ResultMessage = [id, first, flags, values, milliseconds];
    try {
      this.#put(message, [message, values]);
      return true;
    } catch {
      return false;
    }
  }

  /** A result that can't travel is an error of its task. */
  answer(id: number, first: number, flags: number, payload: unknown, milliseconds: number, at: string = PAYLOAD): void {
    try {
      this.#put([id, first, flags, payload, milliseconds]);
    } catch (error) {
      this.fail(id, first, flags, asResult(error, at), milliseconds);
    }
  }

  fail(id: number, item: number, flags: number, error: unknown, milliseconds: number): void {
    try {
      this.#put([id, item, flags | FAILED, travelling(error), milliseconds]);
    } catch {
      this.#put([id, item, flags | FAILED, bareTravelling(error), milliseconds]);
    }
  }

  /** Blocks while the system has no room for it. `plain`: as of encode(). */
  #put(message: ResultMessage, plain: readonly unknown[] = [message]): void {
    const { results } = this.#assignment.channel;
    // Ahead of the answer: upon that the pool may send the next task.
    if (this.#assignment.tellsMemory && (message[2] & LAST) !== 0) this.#tellMemory();
    const descriptors: number[] = [];
    const encoded = encode(message, 'message', descriptors, plain);
    if (results.put(encoded, descriptors) !== FULL) return;
    const parts = encoded.parts().map(recycledCopy);
    while (results.putParts(parts, descriptors, true) === FULL) {
      waitReadySync(results.bells().space, READABLE, Number.POSITIVE_INFINITY);
    }
  }

  #tellMemory(): void {
    const now = performance.now();
    if (now - this.#memoryTold < MEMORY_INTERVAL) return;
    this.#memoryTold = now;
    this.#put([0, 0, MEMORY, memoryOf('self'), 0]);
  }
}

/** The path to a value in a message means nothing to who returned the value. */
function asResult(error: unknown, at: string): unknown {
  if (!(error instanceof SerializationError) || !error.message.startsWith(at)) return error;
  return new SerializationError(`result${error.message.slice(at.length)}`);
}
