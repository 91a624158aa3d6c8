/** Where the memory of an object is: behind a name, in an arena, or, of one that has come in a message, where that says. */

import { bareName } from '../internal/object_names.js';
import { validateBoolean, validateOptions } from '../internal/validate.js';
import { CannotTravel } from '../serialization/registry.js';
import { allocate, freeWith, type PackedPlace, type Place, receivePlace } from './arena.js';

/** Of objects that may have a name. Python: none. */
export interface NamedOptions {
  /**
   * A name under which unrelated processes (C and Python programs too) reach the same object: 'jobs' or '/jobs'. Opens
   * what exists (its value stands), else creates it. Without a name the object belongs to those that are given it.
   */
  name?: string | undefined;
  /** The name outlives the tree of processes that made the object, until unlink(). Default false. */
  persist?: boolean | undefined;
}

/** What glibc puts before a semaphore's name to make its file. sem_overview(7) */
export const SEMAPHORE_PREFIX = 'sem.';

/** A named semaphore in a message: this very one, not a later one of its name. */
export interface PackedName {
  readonly name: string;
  readonly inode: number;
}

/** How an object tells another process of its memory. */
export type Packed = PackedPlace | PackedName;

const arrival = Symbol('arrival');

/** Options that say to a constructor that the object has come in a message. */
export function arriving<O extends object>(packed: Packed, options: O): O {
  return { ...options, [arrival]: packed };
}

/** Undefined for one that is made, or opened, here. */
export function packedIn(options: object): Packed | undefined {
  return (options as { [arrival]?: Packed })[arrival];
}

export interface Origin {
  /** Without the slash. */
  readonly name: string | undefined;
  readonly persist: boolean;
  readonly packed: Packed | undefined;
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE. */
export function checkOrigin(options: NamedOptions): Origin {
  validateOptions(options, 'options');
  const packed = packedIn(options);
  if (packed !== undefined) return { name: 'name' in packed ? packed.name : undefined, persist: true, packed };
  const { name, persist = false } = options;
  validateBoolean(persist, 'options.persist');
  const bare = name === undefined ? undefined : bareName(name, 'options.name', SEMAPHORE_PREFIX.length);
  return { name: bare, persist, packed };
}

/** Of an object without a name, freed with its owner. `isNew`: zeros that nobody else has. @throws ENOMEM; EMFILE. */
export function placeFor(owner: object, packed: Packed | undefined, bytes: number): { place: Place; isNew: boolean } {
  const isNew = packed === undefined;
  const place = isNew ? allocate(bytes) : receivePlace(packed as PackedPlace, bytes);
  freeWith(owner, place);
  return { place, isNew };
}

/** For a codec. */
export function mustTravelOpen(object: { readonly constructor: { readonly name: string } }, closed: boolean): void {
  if (closed) throw new CannotTravel(`is a closed ${object.constructor.name}`);
}
