/** What a Semaphore is underneath: a sem_t, named or in an arena, and with `restore` a ledger of who holds its units. */

import {
  LEDGER_BYTES,
  OBJECTS_OFFSET,
  SEM_BOUND,
  SEM_RECORD_BYTES,
  SEM_SHARED,
  SEM_VALUE,
  SEM_WAITERS,
  SHARED_SEMAPHORE,
} from '../native/lock.js';
import { WaitKind } from '../native/wait_room.js';
import { freeNow, packPlace } from './arena.js';
import { openNamed, packName } from './named_semaphore.js';
import { type Origin, type Packed, placeFor } from './origin.js';
import type { Resource } from './resource.js';
import type { SharedWords } from './shared_words.js';
import type { WaitSpec } from './waiting.js';

/** glibc's SEM_VALUE_MAX. */
export const MOST_UNITS: number = 2 ** 31 - 1;

/** A sem_t: where it is. */
export interface SemPlace {
  readonly shared: SharedWords;
  /** Bytes. */
  readonly offset: number;
  /** For another process. */
  readonly pack: () => Packed;
  /** Nobody here uses it any more. */
  readonly leave: () => void;
}

/** Opens or makes the semaphore; `room` bytes follow its record, in a named one from OBJECTS_OFFSET on. */
export function placeSemaphore(owner: object, origin: Origin, value: number, room = 0): SemPlace {
  const { name } = origin;
  if (name !== undefined) {
    const shared = openNamed(name, origin, value);
    return { shared, offset: 0, pack: () => packName(name, shared), leave: () => {} };
  }
  const { place, isNew } = placeFor(owner, origin.packed, ROOM_OFFSET + room);
  const { shared, offset } = place;
  if (isNew) {
    const index = offset / 4;
    shared.words[index + SEM_SHARED] = SHARED_SEMAPHORE;
    Atomics.store(shared.words, index + SEM_VALUE, value);
  }
  return { shared, offset, pack: () => packPlace(place), leave: () => freeNow(owner, place) };
}

/** Of what follows a record in an arena. */
const ROOM_OFFSET: number = Math.ceil(SEM_RECORD_BYTES / 64) * 64;

export interface UnitSource extends Resource {
  /** False, and nothing changes: above the bound. */
  release(units: number): boolean;
  readonly value: number;
  /** The value that release() can't exceed. */
  readonly bound: number;
  /** For another process. */
  pack(): Packed;
}

const noUnits = new Int32Array(SEM_RECORD_BYTES / 4);

/** Without waiters atomic operations, no call (native/ipc/semaphore_units.h). */
class PlainUnits implements UnitSource {
  readonly spec: WaitSpec;
  readonly bound: number;
  readonly #place: SemPlace;
  #words: Int32Array;
  #index: number;

  constructor(place: SemPlace, bound: number) {
    const { shared, offset } = place;
    this.spec = { kind: WaitKind.units, shared, offset, extra: 0 };
    this.#place = place;
    this.#words = shared.words;
    this.#index = offset / 4;
    // Who makes it says so first; 0 is none.
    if (bound > 0) Atomics.compareExchange(this.#words, this.#index + SEM_BOUND, 0, bound);
    this.bound = Atomics.load(this.#words, this.#index + SEM_BOUND) || MOST_UNITS;
  }

  get value(): number {
    return Atomics.load(this.#words, this.#index);
  }

  take(): boolean {
    for (;;) {
      const value = Atomics.load(this.#words, this.#index);
      if (value === 0) return false;
      if (Atomics.compareExchange(this.#words, this.#index, value, value - 1) === value) return true;
    }
  }

  release(units: number): boolean {
    const { bound } = this;
    for (;;) {
      const value = Atomics.load(this.#words, this.#index);
      if (value + units > bound) return false;
      if (Atomics.compareExchange(this.#words, this.#index, value, value + units) === value) break;
    }
    if (Atomics.load(this.#words, this.#index + SEM_WAITERS) !== 0) {
      this.#place.shared.region.wakeUnits(this.#place.offset, units);
    }
    return true;
  }

  giveBack(): void {
    this.release(1);
  }

  pack(): Packed {
    return this.#place.pack();
  }

  close(): void {
    this.#words = noUnits;
    this.#index = 0;
    this.#place.leave();
  }
}

class RestoredUnits implements UnitSource {
  readonly spec: WaitSpec;
  readonly #plain: PlainUnits;
  #closed = false;

  constructor(place: SemPlace, bound: number, named: boolean) {
    const { shared, offset } = place;
    this.#plain = new PlainUnits(place, bound);
    const extra = named ? OBJECTS_OFFSET : offset + ROOM_OFFSET;
    this.spec = { kind: WaitKind.restoredUnits, shared, offset, extra };
    shared.region.prepareLedger(extra, shared.enter());
  }

  get bound(): number {
    return this.#plain.bound;
  }

  get value(): number {
    const { shared, offset, extra } = this.spec;
    shared.region.restoreUnits(offset, extra, shared.enter());
    return this.#plain.value;
  }

  take(): boolean {
    if (this.#closed || this.#plain.value === 0) return false;
    const { kind, shared, offset, extra } = this.spec;
    return shared.region.waitOnce(kind, offset, extra, shared.enter()) !== false;
  }

  release(units: number): boolean {
    const { shared, offset, extra } = this.spec;
    return shared.region.releaseRestored(offset, extra, shared.enter(), units);
  }

  giveBack(): void {
    this.release(1);
  }

  pack(): Packed {
    return this.#plain.pack();
  }

  close(): void {
    this.#closed = true;
    this.#plain.close();
  }
}

/** @throws what openNamed() throws. */
export function makeUnits(
  owner: object,
  origin: Origin,
  options: { value: number; bound: number; restore: boolean },
): UnitSource {
  const place = placeSemaphore(owner, origin, options.value, options.restore ? LEDGER_BYTES : 0);
  if (!options.restore) return new PlainUnits(place, options.bound);
  return new RestoredUnits(place, options.bound, origin.name !== undefined);
}
