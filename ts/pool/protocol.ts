/**
 * What passes between a pool and one of its workers. Tasks and results go through two rings in shared memory, one each
 * way and nobody else's; words that come rarely go over a connection; where the worker is stands in shared memory.
 */

import type { Connection } from '../connection/connection.js';
import type { Place } from '../process/importable.js';
import type { MessageRing } from '../queues/message_ring.js';
import { ByteReader } from '../serialization/byte_reader.js';
import type { SharedArray } from '../shared/shared_array.js';

/** Everything that a worker works with. It travels to any process. */
export interface Channel {
  readonly tasks: MessageRing;
  readonly results: MessageRing;
  readonly control: Connection<Control>;
  readonly words: SharedArray<'i32'>;
}

/** What a worker is told when it starts. */
export interface Assignment {
  readonly channel: Channel;
  /** Number in the table of functions, with its place where it has to be imported; undefined for none. */
  readonly initializer: { readonly fn: number; readonly place: Place | undefined } | undefined;
  readonly initArgs: readonly unknown[];
  /** It has to import what it runs, and does so before it reads what the functions are to work on. */
  readonly isFresh: boolean;
  /** Whether to tell its memory now and then. */
  readonly tellsMemory: boolean;
}

/** `items` are the arguments of one call, or with CHUNK those of many: an array, or a typed one of numbers. */
export type TaskMessage = readonly [
  id: number,
  fn: number,
  flags: number,
  items: unknown,
  context: Readonly<Record<string, unknown>> | undefined,
];

/** The number of an encoded task: the first element of its array. */
export function idOf(encoded: Uint8Array): number {
  const bytes = Buffer.from(encoded.subarray(0, 16));
  const reader = new ByteReader();
  reader.begin(bytes, 0, bytes.length);
  reader.byte(); // an array
  reader.varint(); // its length
  reader.byte(); // an integer
  return reader.zigzag();
}

/** Of a task: one call for each item. Its results come in one or more messages, in order. */
export const CHUNK = 1;
/** Of a chunk: an item is the list of a call's arguments. */
export const STAR = 2;
/** Of a task: its calls have a time limit each, and are told one by one. */
export const TIMED = 4;
/** Of a result: nothing more of this task follows. */
export const LAST = 8;
/** Of a result: it is an error. */
export const FAILED = 16;
/** Not of a task: the worker is ready (or, with FAILED, its initializer failed). */
export const READY = 32;
/** Not of a task: how much memory the worker has. */
export const MEMORY = 64;

/** `first`: which call of the chunk the first value is of. `milliseconds`: of the whole task, with LAST. */
export type ResultMessage = readonly [id: number, first: number, flags: number, payload: unknown, milliseconds: number];

/** Ahead of the first task that needs it: where a function is. */
export interface FunctionWord {
  readonly kind: 'function';
  readonly fn: number;
  readonly place: Place;
}
/** The task, or one call of it, is to be aborted. */
export interface AbortWord {
  readonly kind: 'abort';
  readonly id: number;
  /** -1: all that is left of it. */
  readonly item: number;
  readonly reason: unknown;
}
/** No task follows. */
export interface LeaveWord {
  readonly kind: 'leave';
}
export type Control = FunctionWord | AbortWord | LeaveWord;
