/** One worker, as the pool sees it: what it was sent and has not answered, and what it says. */

import { SerializationError, WorkerDiedError } from '../errors.js';
import { onceReady, READABLE } from '../internal/readiness.js';
import { signalName } from '../internal/signals.js';
import { afterTurn, beginTurn, isTurnOver } from '../internal/turns.js';
import type { Place } from '../process/importable.js';
import { EMPTY, ENDED, FULL } from '../queues/message_ring.js';
import type { ByteWriter } from '../serialization/byte_writer.js';
import { PoolChannel } from './channel.js';
import type { Generation } from './generation.js';
import type { HostedWorker } from './host.js';
import type { Job } from './job.js';
import { Progress } from './progress.js';
import { type Control, FAILED, idOf, LAST, MEMORY, READY, type ResultMessage } from './protocol.js';
import { TimeKeeper } from './time_keeper.js';

/** What a worker tells its pool. None of these throws. */
export interface WorkerListener {
  ready(worker: Worker): void;
  /** Its initializer failed. */
  unfit(worker: Worker, error: unknown): void;
  memory(worker: Worker, bytes: number): void;
  /** All of the job has been told. `milliseconds`: of run time, where known. */
  over(worker: Worker, job: Job, milliseconds: number | undefined): void;
  /** Results have come, for now that is all. */
  heard(worker: Worker): void;
}

/** Milliseconds of work that a worker may have ahead, so that it need not wait for the pool between short tasks. */
const AHEAD = 2;
const MOST_AHEAD = 64;
/** Before anything is known. */
const FIRST_AHEAD = 2;
/** Weight of the latest task in the mean of run times. */
const WEIGHT = 0.2;

export type WorkerState = 'starting' | 'ready' | 'leaving' | 'ended';

export class Worker {
  readonly name: string;
  readonly generation: Generation;
  readonly channel: PoolChannel = new PoolChannel();
  readonly progress: Progress = new Progress(this.channel.words.array);
  /** Sent and not answered, in the order in which the worker takes them. */
  readonly outstanding: Job[] = [];
  readonly #listener: WorkerListener;
  readonly #introduced: Set<number> = new Set();
  readonly #timeKeeper: TimeKeeper = new TimeKeeper(this);
  hosted: HostedWorker | undefined;
  state: WorkerState = 'starting';
  /** How many jobs it may still be sent. */
  tasksLeft: number;
  /** Bytes, when it was told last. */
  memory: number | undefined;
  /** When it had work last; performance.now(). */
  lastUsed: number = performance.now();
  done = 0;
  #answered = 0;
  #meanTime: number | undefined;
  #isFull = false;
  /** As the worker itself tells it, which may be sooner than who started it. */
  #pid: number | undefined;
  /** It was sent something and may be asleep. */
  #isUnrung = false;
  #isWatching = false;
  #callOff: (() => void) | undefined;

  constructor(name: string, generation: Generation, tasksLeft: number, listener: WorkerListener) {
    this.name = name;
    this.generation = generation;
    this.tasksLeft = tasksLeft;
    this.#listener = listener;
  }

  /** Begins to listen: from here on the worker's results wake us. */
  open(): void {
    this.#drain();
  }

  get pid(): number | undefined {
    return this.hosted?.pid ?? this.#pid;
  }

  get isIdle(): boolean {
    return this.outstanding.length === 0;
  }

  /** Jobs behind the one that it runs which others may run as well. */
  get unbegun(): number {
    let count = 0;
    for (let index = 1; index < this.outstanding.length; index += 1) {
      if (this.outstanding[index]?.key === undefined) count += 1;
    }
    return count;
  }

  /** How many more jobs it is good to send it now. */
  get room(): number {
    if (this.state !== 'ready' || this.#isFull) return 0;
    const mean = this.#meanTime;
    const ahead = mean === undefined ? FIRST_AHEAD : Math.min(MOST_AHEAD, Math.max(2, Math.ceil(AHEAD / mean)));
    return Math.min(ahead - this.outstanding.length, this.tasksLeft);
  }

  /** Whether the job was begun and is not over. */
  runs(job: Job): boolean {
    return this.outstanding[0] === job && this.progress.running === job.id;
  }

  /** False when there is no room for it now. @throws ERR_MP_SERIALIZE, ENOSPC, ENOMEM, EMSGSIZE */
  send(job: Job): boolean {
    const { number, place } = job.task;
    if (place !== undefined) this.#introduce(number, place);
    const put = (
      encoded: ByteWriter | readonly Uint8Array[],
      descriptors: readonly number[],
    ): typeof FULL | undefined => {
      const { tasks } = this.channel;
      const outcome =
        'parts' in encoded ? tasks.put(encoded, descriptors) : tasks.putParts(encoded, descriptors, false);
      return outcome === FULL ? FULL : undefined;
    };
    if (job.encodeFor(put) === FULL) {
      this.#isFull = true;
      return false;
    }
    job.worker = this;
    this.#isUnrung = true;
    this.outstanding.push(job);
    this.tasksLeft -= 1;
    if (job.isTimed) this.#timeKeeper.watch();
    this.watch();
    return true;
  }

  /** To be called when it has been sent what there is for now: several tasks, one waking. */
  wake(): void {
    if (!this.#isUnrung) return;
    this.#isUnrung = false;
    this.channel.tasks.ringBell();
  }

  #introduce(fn: number, place: Place): void {
    if (this.#introduced.has(fn)) return;
    this.#introduced.add(fn);
    this.#say({ kind: 'function', fn, place });
  }

  #say(word: Control): void {
    this.channel.control.send(word).catch((error: unknown) => {
      // A reason can be anything. All else that goes wrong is the worker's end, which tells.
      if (word.kind === 'abort' && error instanceof SerializationError) this.#say({ ...word, reason: aborted() });
    });
    this.progress.speak();
  }

  /** Has the running task, or one call of it, aborted. */
  abort(job: Job, item: number, reason: unknown): void {
    this.#say({ kind: 'abort', id: job.id, item, reason });
    const isStill = (): boolean => this.runs(job) && (item === -1 || this.progress.item === item);
    const { graceTime } = job.limits;
    const kill = (): void => {
      if (this.state !== 'ended' && isStill()) this.signal('SIGKILL');
    };
    if (graceTime === Number.POSITIVE_INFINITY) return;
    setTimeout(kill, graceTime).unref();
  }

  /** It gets nothing more, and ends when it has done what it has. */
  leave(): void {
    if (this.state === 'leaving' || this.state === 'ended') return;
    this.state = 'leaving';
    this.#say({ kind: 'leave' });
  }

  signal(signal: NodeJS.Signals): void {
    this.hosted?.signal(signal);
  }

  /** The jobs that it has not taken yet, no longer its own. It may be taking one meanwhile. */
  takeBack(): Job[] {
    const ids = new Set<number>();
    for (let id = this.#discard(); id !== undefined; id = this.#discard()) ids.add(id);
    if (ids.size === 0) return [];
    const jobs = this.outstanding.filter(({ id }) => ids.has(id));
    const left = this.outstanding.filter(({ id }) => !ids.has(id));
    this.outstanding.splice(0, this.outstanding.length, ...left);
    for (const job of jobs) job.worker = undefined;
    this.tasksLeft += jobs.length;
    return jobs;
  }

  #discard(): number | undefined {
    return this.channel.tasks.discard(idOf);
  }

  // ---- what it says

  /** Keeps this process alive while there is something to be said. */
  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { results } = this.channel;
    this.#callOff = onceReady(results.bells().items, READABLE, this.channel, () => {
      this.#isWatching = false;
      beginTurn();
      this.#drain();
    });
  }

  #drain(isPatient: boolean = true): void {
    if (this.state === 'ended') return;
    const { answered } = this.progress;
    for (;;) {
      if (isPatient && isTurnOver()) {
        afterTurn(() => this.#drain());
        return;
      }
      let taken: unknown;
      try {
        taken = this.channel.results.take(true, isPatient);
      } catch (error) {
        this.#lost(error);
        continue;
      }
      if (taken === EMPTY || taken === ENDED) break;
      if (taken instanceof Promise) {
        void taken
          .then(
            (message) => this.#hear(message),
            (error) => this.#lost(error),
          )
          .then(() => this.#drain());
        return;
      }
      this.#hear(taken as ResultMessage);
    }
    // What was answered before we began, and not heard of, could not be read.
    while (((answered - this.#answered) | 0) > 0 && this.outstanding.length > 0) this.#over(undefined);
    this.#isFull = false;
    this.lastUsed = performance.now();
    if (this.outstanding.length > 0 || this.state === 'starting') this.watch();
    this.#listener.heard(this);
  }

  #hear([id, first, flags, payload, milliseconds]: ResultMessage): void {
    if ((flags & READY) !== 0) {
      if ((flags & FAILED) !== 0) {
        this.#listener.unfit(this, payload);
      } else if (this.state === 'starting') {
        this.state = 'ready';
        this.#pid = payload as number;
        this.#listener.ready(this);
      }
      return;
    }
    if ((flags & MEMORY) !== 0) {
      this.memory = payload as number;
      this.#listener.memory(this, this.memory);
      return;
    }
    const job = this.outstanding[0];
    if (job === undefined || (id !== 0 && id !== job.id)) return;
    // Without its number: the worker could not read it.
    if (id === 0) this.#tellRest(job, job.count, payload);
    else if ((flags & FAILED) !== 0) this.#tellError(job, first, payload);
    else this.#tellValues(job, first, payload, flags);
    if ((flags & LAST) !== 0) this.#over(milliseconds);
  }

  #tellValues(job: Job, first: number, payload: unknown, flags: number): void {
    const values =
      job.count === 1 && (flags & LAST) !== 0 && !job.isChunk ? [payload] : (payload as ArrayLike<unknown>);
    job.told = first + values.length;
    if (job.isAbandoned || values.length === 0 || job.expired?.has(first) === true) return;
    job.owner.succeed(job, first, values);
  }

  #tellError(job: Job, item: number, error: unknown): void {
    job.told = item + 1;
    job.hasFailed = true;
    if (job.isAbandoned || job.expired?.has(item) === true) return;
    job.owner.fail(job, item, error);
  }

  /** A result could not be read: which of the calls it was of is unknown. */
  #lost(error: unknown): void {
    const job = this.outstanding[0];
    if (job === undefined) return;
    this.#tellRest(job, job.count, error);
    if (!job.isChunk) this.#over(undefined);
  }

  #tellRest(job: Job, end: number, error: unknown): void {
    for (let item = job.told; item < end; item += 1) this.#tellError(job, item, error);
    job.told = Math.max(job.told, end);
  }

  /** The oldest job is over. */
  #over(milliseconds: number | undefined): void {
    const job = this.outstanding.shift() as Job;
    this.#answered = (this.#answered + 1) | 0;
    if (job.told < job.count) this.#tellRest(job, job.count, new Error('the result was lost'));
    this.done += 1;
    if (milliseconds !== undefined) {
      job.milliseconds = milliseconds;
      this.#meanTime = milliseconds * WEIGHT + (this.#meanTime ?? milliseconds) * (1 - WEIGHT);
    }
    this.#listener.over(this, job, milliseconds);
  }

  // ---- its end

  /** What it had said before it ended. */
  hearLast(): void {
    this.#drain(false);
  }

  /**
   * It has ended. What it had not begun is returned; what it ran, and had finished without a word about it, is told to
   * have failed.
   */
  bury(exitCode: number): Job[] {
    this.hearLast();
    this.state = 'ended';
    this.#callOff?.();
    const unbegun = this.takeBack();
    const left: Job[] = [];
    for (const job of this.outstanding.splice(0)) {
      const rest = this.#bury(job, exitCode);
      if (rest !== undefined) left.push(rest);
      if (rest !== job) this.#listener.over(this, job, undefined);
    }
    this.#timeKeeper.stop();
    this.channel.close();
    return [...left, ...unbegun];
  }

  /** What is left to do of a job that it had taken; the job itself when it had not begun. */
  #bury(job: Job, exitCode: number): Job | undefined {
    job.worker = undefined;
    if (job.isAbandoned) return undefined;
    const error = this.death(exitCode, job.task.name);
    if (this.progress.running !== job.id) {
      job.deaths += 1;
      // Nobody knows why; twice the same is no chance.
      if (job.deaths < 2) return job;
      this.#tellRest(job, job.count, error);
      return undefined;
    }
    const done = this.progress.item + 1;
    this.#tellRest(job, done, error);
    return done < job.count ? job.rest(done) : undefined;
  }

  /** How it died; while it ran which task. */
  death(exitCode: number, task: string | undefined): WorkerDiedError {
    const signal = exitCode < 0 ? signalName(-exitCode) : undefined;
    const how = signal === undefined ? `ended with ${exitCode}` : `was killed by ${signal}`;
    const what = task === undefined ? 'with nothing to do' : `while it ran ${task}`;
    return new WorkerDiedError(
      `${this.name} (pid ${this.pid}) ${how} ${what}${HINTS[signal ?? ''] ?? ''}`,
      this.pid ?? 0,
      exitCode,
      signal,
    );
  }
}

function aborted(): DOMException {
  return new DOMException('This task was aborted', 'AbortError');
}

const HINTS: Readonly<Record<string, string>> = {
  SIGKILL: ': perhaps for want of memory, then the kernel says so (dmesg)',
  SIGABRT: ': perhaps at the limit of its heap (--max-old-space-size), then it says so on stderr',
};
