/**
 * Shared memory without names for many small objects: blocks of few memory files (memfd_create(2)), which forked children
 * inherit and messages carry by descriptor. The kernel gives a file back when no process has it any more, however they
 * end. A process lets go of a segment when all that it has in it is closed or collected; a block is never used twice, as
 * another process may have it still.
 */

import { closeSync, fstatSync } from 'node:fs';
import { builtin } from '../internal/builtins.js';
import { mapMemory } from '../internal/mapping.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgValue, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { Descriptor } from '../serialization/descriptor.js';
import { unmapMemory } from './unmap.js';

const PAGE = 4096;
const SMALLEST_SEGMENT = 16 * 1024;
const LARGEST_SEGMENT = 1024 * 1024;

/** What a message carries of a segment, once, however many blocks of it are in the message. */
export interface Ticket {
  readonly id: string;
  readonly bytes: number;
  readonly descriptor: Descriptor;
}

/** Those that this process has, by their id. */
const known = new Map<string, Segment>();

class Segment {
  readonly ticket: Ticket;
  readonly #fd: number;
  #buffer: ArrayBuffer | undefined;
  #users = 0;

  /** Owns the descriptor from here on. */
  constructor(id: string, fd: number, bytes: number) {
    this.#fd = fd;
    this.ticket = { id, bytes, descriptor: new Descriptor(fd) };
    known.set(id, this);
  }

  /** All of it, mapped when first asked for. */
  get buffer(): ArrayBuffer {
    this.#buffer ??= mapMemory(this.#fd, this.ticket.bytes);
    return this.#buffer;
  }

  /** A part of it in a mapping of its own, which the caller unmaps. */
  map(offset: number, bytes: number): ArrayBuffer {
    return mapMemory(this.#fd, bytes, { offset });
  }

  /** Whether the file has all the bytes: touching what it has not would raise SIGBUS. */
  get isWhole(): boolean {
    return fstatSync(this.#fd).size >= this.ticket.bytes;
  }

  reserve(offset: number, bytes: number): void {
    native.posixFallocate(this.#fd, offset, bytes);
  }

  use(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    known.delete(this.ticket.id);
    for (const arena of [cells, pages]) arena.forget(this);
    if (this.#buffer !== undefined) unmapMemory(this.#buffer);
    closeSync(this.#fd);
  }
}

export type { Segment };

function makeSegment(bytes: number): Segment {
  const fd = native.memfdCreate('posix-multiprocessing');
  try {
    native.ftruncate(fd, bytes);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return new Segment(builtin.crypto().randomBytes(16).toString('base64'), fd, bytes);
}

/** The block that a message tells of; the caller counts as a user of its segment. @throws ERR_OUT_OF_RANGE: there is none. */
export function receiveBlock({ id, bytes, descriptor }: Ticket, offset: number, size: number): Block {
  validateInteger(offset, 'offset', 0, bytes - size);
  const segment = known.get(id) ?? new Segment(id, descriptor.take(), bytes);
  segment.use();
  if (segment.isWhole) return { segment, offset };
  segment.release();
  throw invalidArgValue('ticket', 'must tell how large its file is', bytes);
}

interface Room {
  readonly segment: Segment;
  next: number;
}

export interface Block {
  readonly segment: Segment;
  /** Bytes from the start of the segment. */
  readonly offset: number;
}

/** Blocks of one grain, one after the other. */
class Arena {
  readonly #grain: number;
  /** Its parent's are not a forked child's to give away. */
  readonly #room = perProcess<Room | undefined>(() => undefined);

  constructor(grain: number) {
    this.#grain = grain;
  }

  /** Zeros, whose space is reserved. The caller counts as a user of the segment, who releases it. */
  allocate(wanted: number): Block {
    const bytes = Math.max(1, Math.ceil(wanted / this.#grain)) * this.#grain;
    const { segment, next: offset } = this.#roomFor(bytes);
    segment.use();
    try {
      segment.reserve(offset, bytes);
    } catch (error) {
      segment.release();
      throw error;
    }
    const room = this.#room.value;
    if (room?.segment === segment) room.next = offset + bytes;
    return { segment, offset };
  }

  #roomFor(bytes: number): Room {
    if (bytes > LARGEST_SEGMENT / 4) return { segment: makeSegment(Math.ceil(bytes / PAGE) * PAGE), next: 0 };
    const room = this.#room.value;
    if (room !== undefined && room.next + bytes <= room.segment.ticket.bytes) return room;
    const usual = room === undefined ? SMALLEST_SEGMENT : Math.min(2 * room.segment.ticket.bytes, LARGEST_SEGMENT);
    const segment = makeSegment(Math.max(usual, this.#grain === PAGE ? LARGEST_SEGMENT : 0));
    this.#room.value = { segment, next: 0 };
    return this.#room.value;
  }

  forget(segment: Segment): void {
    if (this.#room.value?.segment === segment) this.#room.value = undefined;
  }
}

/** For single numbers: eight bytes each. */
export const cells: Arena = new Arena(8);
/** For arrays, each mapped by itself. */
export const pages: Arena = new Arena(PAGE);

const dropped = new FinalizationRegistry<Segment>((segment) => segment.release());

/** Releases the segment when the owner is dropped without being closed. */
export function releaseWith(owner: object, segment: Segment): void {
  dropped.register(owner, segment, owner);
}

/** Releases it now: the owner is closed. */
export function releaseNow(owner: object, segment: Segment): void {
  dropped.unregister(owner);
  segment.release();
}
