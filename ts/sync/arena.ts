/**
 * Places for objects without a name: many in one piece of shared memory, which forked children inherit and messages carry
 * by descriptor. The kernel gives a piece back when no process has it any more and no message is on its way with it. A
 * place is used again once its object is closed, but only if no other process can have it: not after a fork, and never
 * once it was in a message, whatever became of that.
 */

import { builtin } from '../internal/builtins.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgValue, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { OBJECTS_OFFSET } from '../native/lock.js';
import { Descriptor } from '../serialization/descriptor.js';
import { SharedWords } from './shared_words.js';

/** A cache line, so that neighbours don't slow each other down. */
const GRAIN = 64;
const SMALLEST_PIECE = 64 * 1024;
const LARGEST_PIECE = 4 * 1024 * 1024;
/** Milliseconds after which a piece without objects is not kept for the next ones. */
const LINGER = 500;

/** What a message carries of a piece, once, however many places of it are in the message. */
interface Ticket {
  /** The same in every process. */
  readonly id: string;
  readonly descriptor: Descriptor;
}

/** Its descriptor is open for as long as this process has an object in it. */
class Piece {
  readonly shared: SharedWords;
  /** That this process may allocate. */
  readonly bytes: number;
  next = 0;
  objects = 0;
  /** Places of this process alone that are free again: their offsets, by their size. */
  readonly vacant: Map<number, number[]> = new Map();
  #ticket: Ticket | undefined;

  constructor(shared: SharedWords, bytes: number, id?: string) {
    this.shared = shared;
    this.bytes = bytes;
    if (id !== undefined) this.#makeKnown(id);
  }

  get ticket(): Ticket {
    return this.#ticket ?? this.#makeKnown(builtin.crypto().randomBytes(16).toString('base64'));
  }

  #makeKnown(id: string): Ticket {
    this.#ticket = { id, descriptor: new Descriptor(this.shared.region.fd()) };
    known.set(id, this);
    return this.#ticket;
  }

  close(): void {
    if (this.#ticket !== undefined) known.delete(this.#ticket.id);
    this.shared.region.closeFile();
  }
}

/** The pieces that have travelled and are still here, by their id. */
const known = new Map<string, Piece>();

export interface Place {
  readonly piece: Piece;
  readonly shared: SharedWords;
  /** Bytes from the start of the region. */
  readonly offset: number;
  readonly bytes: number;
  /** Of this process, when the object was made; TRAVELLED. */
  forks: number;
}

/** No count of forks: other processes may have the place for ever. */
const TRAVELLED = -1;

class Allocator {
  /** Where the next new place is. */
  #piece: Piece | undefined;
  /** Those with vacant places, by their size. */
  readonly #vacant: Map<number, Piece[]> = new Map();
  #isLingering = false;

  allocate(wanted: number): Place {
    const bytes = Math.ceil(wanted / GRAIN) * GRAIN;
    const { piece, offset } = this.#vacancy(bytes) ?? this.#room(bytes);
    piece.objects += 1;
    return { piece, shared: piece.shared, offset, bytes, forks: native.forkCount() };
  }

  #vacancy(bytes: number): { piece: Piece; offset: number } | undefined {
    const pieces = this.#vacant.get(bytes);
    const piece = pieces?.at(-1);
    const offsets = piece?.vacant.get(bytes);
    const offset = offsets?.pop();
    if (piece === undefined || offset === undefined) return undefined;
    if (offsets?.length === 0) pieces?.pop();
    return { piece, offset };
  }

  #room(bytes: number): { piece: Piece; offset: number } {
    const before = this.#piece;
    if (before === undefined || before.next + bytes > before.bytes) this.#open(bytes);
    const piece = this.#piece as Piece;
    const offset = OBJECTS_OFFSET + piece.next;
    piece.next += bytes;
    return { piece, offset };
  }

  #open(atLeast: number): void {
    const before = this.#piece;
    const usual = before === undefined ? SMALLEST_PIECE : Math.min(2 * before.bytes, LARGEST_PIECE);
    const bytes = Math.max(usual, atLeast);
    this.#piece = new Piece(new SharedWords(new native.Region({ bytes })), bytes);
    if (before !== undefined) this.letGo(before);
  }

  vacate({ piece, offset, bytes, shared }: Place): void {
    shared.words.fill(0, offset / 4, (offset + bytes) / 4);
    shared.forget(offset);
    const offsets = piece.vacant.get(bytes) ?? [];
    if (offsets.push(offset) > 1) return;
    piece.vacant.set(bytes, offsets);
    const pieces = this.#vacant.get(bytes);
    if (pieces === undefined) this.#vacant.set(bytes, [piece]);
    else pieces.push(piece);
  }

  /** A piece without objects goes; the one that is allocated from after a while. */
  letGo(piece: Piece): void {
    if (piece.objects > 0) return;
    if (piece === this.#piece) {
      if (!this.#isLingering) setTimeout(() => this.#expire(), LINGER).unref();
      this.#isLingering = true;
      return;
    }
    for (const bytes of piece.vacant.keys()) {
      const others = this.#vacant.get(bytes)?.filter((other) => other !== piece) ?? [];
      this.#vacant.set(bytes, others);
    }
    piece.close();
  }

  #expire(): void {
    this.#isLingering = false;
    const piece = this.#piece;
    if (piece === undefined || piece.objects > 0) return;
    this.#piece = undefined;
    this.letGo(piece);
  }
}

/** A forked child begins anew: its parent goes on to use what it has. */
const allocator = perProcess(() => new Allocator());

/** Zeroed shared memory. @throws ENOMEM; EMFILE. */
export function allocate(wanted: number): Place {
  return allocator.value.allocate(wanted);
}

/** Nothing of this process uses the place any more. */
export function free(place: Place): void {
  const { piece, forks } = place;
  if (forks === native.forkCount()) allocator.value.vacate(place);
  piece.objects -= 1;
  allocator.value.letGo(piece);
}

const dropped = new FinalizationRegistry<Place>(free);

/** free()s the place if the owner is dropped without being closed. */
export function freeWith(owner: object, place: Place): void {
  dropped.register(owner, place, owner);
}

/** free(), by the owner, who is closed. */
export function freeNow(owner: object, place: Place): void {
  dropped.unregister(owner);
  free(place);
}

/** A place in a message. */
export interface PackedPlace {
  readonly piece: Ticket;
  readonly offset: number;
}

/** From now on another process may have it. */
export function packPlace(place: Place): PackedPlace {
  place.forks = TRAVELLED;
  return { piece: place.piece.ticket, offset: place.offset };
}

/** The place that a message tells of, for an object of so many bytes. @throws EPROTO, ERR_OUT_OF_RANGE: there is none. */
export function receivePlace({ piece: { id, descriptor }, offset }: PackedPlace, bytes: number): Place {
  const piece = known.get(id) ?? new Piece(new SharedWords(new native.Region({ fd: descriptor.take() })), 0, id);
  piece.objects += 1;
  const { shared } = piece;
  const place = { piece, shared, offset, bytes, forks: TRAVELLED };
  try {
    validateInteger(offset, 'offset', OBJECTS_OFFSET, shared.words.byteLength - bytes);
    if (offset % GRAIN !== 0) throw invalidArgValue('offset', `must be a multiple of ${GRAIN}`, offset);
  } catch (error) {
    free(place);
    throw error;
  }
  return place;
}
