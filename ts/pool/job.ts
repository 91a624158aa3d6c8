/** A job: what goes to a worker in one message, and whom its results are told. */

import { SerializationError } from '../errors.js';
import { recycledCopy } from '../internal/recycled_memory.js';
import { native } from '../native/load.js';
import type { ByteWriter } from '../serialization/byte_writer.js';
import { encode } from '../serialization/serialize.js';
import type { Items } from './feed.js';
import type { TaskFunction } from './functions.js';
import type { Generation } from './generation.js';
import { CHUNK, type TaskMessage, TIMED } from './protocol.js';
import type { Single } from './single.js';
import type { Worker } from './worker.js';

/** Where the results go. None of these throws. */
export interface JobOwner {
  /** Results of calls from number `first` of the job on. */
  succeed(job: Job, first: number, values: ArrayLike<unknown>): void;
  fail(job: Job, item: number, error: unknown): void;
  /** A part of one of its jobs has become a job of its own. */
  adopt(job: Job): void;
  /** Every call has been told, or nobody wants to hear. Once for each job. */
  finish(job: Job): void;
}

/** How long a call may take, and what it has after that. Milliseconds. */
export interface Limits {
  readonly timeout: number;
  readonly graceTime: number;
}

let lastId = 0;

/** 32 bits, and never 0, which means none. */
function nextId(): number {
  lastId = (lastId % 0x7fff_ffff) + 1;
  return lastId;
}

/** What was encoded when the job was made, so that later changes don't travel. */
interface Sealed {
  readonly parts: readonly Uint8Array[];
  readonly descriptors: readonly number[];
}

export interface JobOptions {
  readonly owner: JobOwner;
  readonly task: TaskFunction;
  readonly generation: Generation;
  /** CHUNK, STAR or 0. */
  readonly flags: number;
  /** Of CHUNK: one a call; else the arguments of one call. */
  readonly items: Items;
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly limits: Limits;
  /** Place of its first call among those of its owner. */
  readonly position: number;
  readonly priority: number;
  readonly order: number;
  readonly key?: unknown;
}

export class Job {
  readonly id: number = nextId();
  readonly owner: JobOwner;
  readonly task: TaskFunction;
  readonly generation: Generation;
  readonly limits: Limits;
  readonly flags: number;
  readonly items: Items;
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly position: number;
  readonly priority: number;
  readonly order: number;
  readonly key: unknown;
  /** Its wait is among the pool's figures. */
  isCounted = false;
  /** One of its calls has failed. */
  hasFailed = false;
  /** Calls. */
  readonly count: number;
  /** Those before have been told. */
  told = 0;
  /** Calls that were told before they ended: their time was up. */
  expired: Set<number> | undefined;
  /** Nobody wants any more of it. */
  isAbandoned = false;
  worker: Worker | undefined;
  /** Where it waits, if it does by itself. */
  source: Single | undefined;
  /** Of run time, once it is over. */
  milliseconds: number | undefined;
  /** Workers that died when they were to begin it. */
  deaths = 0;
  /** When it was given to the pool; performance.now(). */
  readonly since: number = performance.now();
  #sealed: Sealed | undefined;

  constructor(options: JobOptions) {
    const { owner, task, generation, flags, items, context, limits, position, priority, order, key } = options;
    this.owner = owner;
    this.task = task;
    this.generation = generation;
    this.limits = limits;
    this.flags = flags | (limits.timeout === Number.POSITIVE_INFINITY ? 0 : TIMED);
    this.items = items;
    this.context = context;
    this.position = position;
    this.priority = priority;
    this.order = order;
    this.key = key;
    this.count = (flags & CHUNK) === 0 ? 1 : items.length;
  }

  get isChunk(): boolean {
    return (this.flags & CHUNK) !== 0;
  }

  get isTimed(): boolean {
    return (this.flags & TIMED) !== 0;
  }

  /** Encodes it now, once. @throws ERR_MP_SERIALIZE */
  seal(): void {
    const descriptors: number[] = [];
    const encoded = this.#encode(descriptors);
    this.#sealed = {
      parts: encoded.parts().map(recycledCopy),
      descriptors: descriptors.map((fd) => native.dup(fd)),
    };
  }

  /** Calls with its bytes and the descriptors that go along. @throws ERR_MP_SERIALIZE, and as `put` */
  encodeFor<R>(put: (encoded: ByteWriter | readonly Uint8Array[], descriptors: readonly number[]) => R): R {
    if (this.#sealed !== undefined) return put(this.#sealed.parts, this.#sealed.descriptors);
    const descriptors: number[] = [];
    return put(this.#encode(descriptors), descriptors);
  }

  #encode(descriptors: number[]): ByteWriter {
    const { id, task, flags, items, context } = this;
    const message: TaskMessage = [id, task.number, flags, items, context];
    try {
      return encode(message, 'message', descriptors, [message, items]);
    } catch (error) {
      throw asArgument(error, (flags & CHUNK) === 0 ? 'args' : 'items');
    }
  }

  /** What is left of it when its first `done` calls are done. */
  rest(done: number): Job {
    return this.part(done, this.count);
  }

  /** Some calls of it as a job of their own. */
  part(start: number, end: number): Job {
    const items = this.items.slice(start, end);
    const part = new Job({ ...(this as JobOptions), items, position: this.position + start });
    this.owner.adopt(part);
    return part;
  }

  /** Gives back what it holds. */
  release(): void {
    for (const fd of this.#sealed?.descriptors ?? []) native.closeFd(fd);
    this.#sealed = undefined;
  }
}

function asArgument(error: unknown, root: string): unknown {
  const at = 'message[3]';
  if (!(error instanceof SerializationError)) return error;
  if (error.message.startsWith(at)) return new SerializationError(root + error.message.slice(at.length));
  return new SerializationError(error.message.replace(/^message\[4\]/, 'context'));
}
