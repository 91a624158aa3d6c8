/**
 * Places for objects without a name: many in one piece of shared memory, which forked children inherit. The kernel gives a
 * piece back when no process has it any more. A place is used again once its object is closed, but only if there was no
 * fork since the object was made: a child may have it still.
 */

import { perProcess } from '../internal/per_process.js';
import { native } from '../native/load.js';
import { OBJECTS_OFFSET } from '../native/lock.js';
import { SharedWords } from './shared_words.js';

export interface Place {
  readonly shared: SharedWords;
  /** Bytes from the start of the region. */
  readonly offset: number;
  readonly bytes: number;
  /** Of this process, when the object was made. */
  readonly forks: number;
}

/** A cache line, so that neighbours don't slow each other down. */
const GRAIN = 64;
const SMALLEST_PIECE = 64 * 1024;
const LARGEST_PIECE = 4 * 1024 * 1024;

interface Piece {
  readonly shared: SharedWords;
  readonly bytes: number;
  next: number;
}

/** A forked child begins anew: its parent goes on to use what it has. */
const state = perProcess(() => ({
  piece: undefined as Piece | undefined,
  vacant: new Map<number, Place[]>(),
}));

function openPiece(atLeast: number): Piece {
  const { piece } = state.value;
  const usual = piece === undefined ? SMALLEST_PIECE : Math.min(2 * piece.bytes, LARGEST_PIECE);
  const bytes = Math.max(usual, atLeast);
  return { shared: new SharedWords(new native.Region(bytes)), bytes, next: 0 };
}

/** Zeroed shared memory. @throws ENOMEM; EMFILE. */
export function allocate(wanted: number): Place {
  const bytes = Math.ceil(wanted / GRAIN) * GRAIN;
  const forks = native.forkCount();
  const again = state.value.vacant.get(bytes)?.pop();
  if (again !== undefined) return { ...again, forks };
  let { piece } = state.value;
  if (piece === undefined || piece.next + bytes > piece.bytes) piece = openPiece(bytes);
  state.value.piece = piece;
  const offset = OBJECTS_OFFSET + piece.next;
  piece.next += bytes;
  return { shared: piece.shared, offset, bytes, forks };
}

/** Nothing of this process uses the place any more. */
export function free(place: Place): void {
  if (place.forks !== native.forkCount()) return;
  place.shared.words.fill(0, place.offset / 4, (place.offset + place.bytes) / 4);
  const { vacant } = state.value;
  const others = vacant.get(place.bytes);
  if (others === undefined) vacant.set(place.bytes, [place]);
  else others.push(place);
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
