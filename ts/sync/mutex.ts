/** What a Lock is underneath: one word of an arena, or a named semaphore. */

import { type SemLockCalls, TOKEN_MASK } from '../native/lock.js';
import { WaitKind } from '../native/wait_room.js';
import { freeNow, type Place, packPlace } from './arena.js';
import { openNamed, packName } from './named_semaphore.js';
import { type Origin, type Packed, placeFor } from './origin.js';
import type { Resource } from './resource.js';
import type { SharedWords } from './shared_words.js';
import type { WaitSpec } from './waiting.js';

/** The holder's token; FREE; or HELD_BY_STRANGER, by a program that leaves no name. */
export type Holder = number;
export const FREE: Holder = 0;
export const HELD_BY_STRANGER: Holder = -1;

export interface Mutex extends Resource {
  /** Whoever holds it. False: nobody does. */
  release(): boolean;
  holder(): Holder;
  /** For another process. */
  pack(): Packed;
}

export function makeMutex(owner: object, origin: Origin): Mutex {
  const { name } = origin;
  return name === undefined ? new WordMutex(owner, origin) : new SemMutex(name, openNamed(name, origin, 1));
}

/** Who is not in the words: takes nothing. */
const nobody = { self: 0, words: new Int32Array(1) };

/** Without waiters a pair of atomic operations, no call (native/ipc/word_lock.h). */
class WordMutex implements Mutex {
  readonly spec: WaitSpec;
  readonly #owner: object;
  readonly #place: Place;
  #shared: Pick<SharedWords, 'self' | 'words'>;
  #index: number;

  constructor(owner: object, origin: Origin) {
    this.#owner = owner;
    this.#place = placeFor(owner, origin.packed, 4).place;
    const { shared, offset } = this.#place;
    this.spec = { kind: WaitKind.wordLock, shared, offset, extra: 0 };
    this.#shared = shared;
    this.#index = offset / 4;
  }

  take(): boolean {
    const { self, words } = this.#shared;
    return self !== 0 && Atomics.compareExchange(words, this.#index, 0, self) === 0;
  }

  release(): boolean {
    const { self, words } = this.#shared;
    if (self !== 0 && Atomics.compareExchange(words, this.#index, self, 0) === self) return true;
    return this.#place.shared.region.releaseWord(this.#place.offset);
  }

  giveBack(): void {
    this.release();
  }

  holder(): Holder {
    return Atomics.load(this.#shared.words, this.#index) & TOKEN_MASK;
  }

  pack(): Packed {
    return packPlace(this.#place);
  }

  close(): void {
    this.#shared = nobody;
    this.#index = 0;
    freeNow(this.#owner, this.#place);
  }
}

class SemMutex implements Mutex {
  readonly spec: WaitSpec;
  readonly #name: string;
  readonly #shared: SharedWords;
  readonly #take: SemLockCalls['take'];
  readonly #release: SemLockCalls['release'];
  #closed = false;

  constructor(name: string, shared: SharedWords) {
    this.#name = name;
    this.#shared = shared;
    ({ take: this.#take, release: this.#release } = shared.region.semLock());
    this.spec = { kind: WaitKind.semLock, shared, offset: 0, extra: 0 };
  }

  take(): boolean {
    const { self } = this.#shared;
    return self !== 0 && !this.#closed && this.#take(self);
  }

  release(): boolean {
    return this.#release();
  }

  giveBack(): void {
    this.release();
  }

  holder(): Holder {
    return this.#shared.region.semLockHolder();
  }

  pack(): Packed {
    return packName(this.#name, this.#shared);
  }

  close(): void {
    this.#closed = true;
  }
}
