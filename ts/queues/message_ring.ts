/** The ring of a queue: how large, and values in and out of it. */

import { forkGeneration } from '../internal/fork_generation.js';
import { recycledBuffer } from '../internal/recycled_memory.js';
import { systemError } from '../internal/system_error.js';
import { native } from '../native/load.js';
import { PUT_DONE, PUT_FULL, RING_ENDED, type RingLoan, type RingObject, type RingStaging } from '../native/ring.js';
import { RLIMIT_AS, RLIMIT_FSIZE } from '../posix/numbers.js';
import { type ByteWriter, HEADROOM } from '../serialization/byte_writer.js';
import { Descriptor, MOST_DESCRIPTORS } from '../serialization/descriptor.js';
import { decode, deserialize, deserializeLater } from '../serialization/deserialize.js';
import { registerCodec } from '../serialization/registry.js';
import { usualMemory } from '../serialization/serialize.js';

/** Bytes of address space to try for; memory is taken for what is in the queue only. */
const CAPACITIES: readonly number[] = [16 * 2 ** 30, 4 * 2 ** 30, 2 ** 30, 256 * 2 ** 20, 64 * 2 ** 20];
const PAGE = 4096;
/** The ring's header, and its two tables with a bit each for every page at most. */
const HEADER = 2 * PAGE;
const TABLES = 2 / (8 * PAGE);
const FEWEST_PAGES = 5;

/** Messages up to this size are read from one place, longer ones get memory of their own. */
const STAGING = 16 * 1024;

const incoming: Buffer = Buffer.allocUnsafeSlow(STAGING);
/** What came with the message that was taken last; its first element counts. */
const descriptors = new Int32Array(1 + MOST_DESCRIPTORS);
const staging: RingStaging = { out: usualMemory, in: incoming, descriptors };
/** A codec might take from another queue while a message is read from `incoming`. */
let isReading = false;

/** From this size on a message stays in the ring until its receiver has forgotten it. */
const KEPT = 256 * 1024;

/** Milliseconds without large messages after which their memory is given back: to get it anew costs more than a copy. */
const IDLE = 2000;
/** So many bytes at once, and milliseconds between: more would hold up the loop. */
const PART: number = 16 * 2 ** 20;
const PAUSE = 5;

/** A full queue, an empty one, and one that was ended. */
export const FULL: unique symbol = Symbol('full');
export const EMPTY: unique symbol = Symbol('empty');
export const ENDED: unique symbol = Symbol('ended');

/**
 * The largest ring that this process may have. A file beyond RLIMIT_FSIZE would be answered by the signal SIGXFSZ; one
 * beyond RLIMIT_AS or the address space left by an error.
 */
function makeRing(maxCount: number): RingObject {
  const largest = roundDown((native.getrlimit(RLIMIT_FSIZE).soft - HEADER) / (1 + TABLES), PAGE);
  const capacities = CAPACITIES.map((capacity) => Math.min(capacity, largest));
  if (largest < FEWEST_PAGES * PAGE) throw systemError('EFBIG', 'ftruncate');
  for (const capacity of capacities.slice(0, -1)) {
    try {
      return new native.Ring(staging, capacity, maxCount);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOMEM') throw error;
    }
  }
  return new native.Ring(staging, capacities.at(-1) as number, maxCount);
}

function roundDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

export class MessageRing {
  readonly #ring: RingObject;
  #trimming: NodeJS.Timeout | undefined;
  #generation: number = forkGeneration();
  #isClosed = false;
  /** Whether the message that was taken last took a while. */
  wasLong = false;

  private constructor(ring: RingObject) {
    this.#ring = ring;
  }

  /** `maxCount` 0: as many messages as there is memory for. */
  static make(maxCount: number): MessageRing {
    return new MessageRing(makeRing(maxCount));
  }

  /** The ring that files() of another process's are copies of; it takes them over. */
  static open(files: readonly Descriptor[]): MessageRing {
    const numbers = files.map((file) => file.take());
    return new MessageRing(new native.Ring(staging, numbers));
  }

  /** Copies of them are the ring for another process. */
  files(): Descriptor[] {
    return this.#ring.files().map((fd) => new Descriptor(fd));
  }

  bells(): { items: number; space: number; done: number } {
    const [, items, space, done] = this.#ring.files();
    return { items, space, done };
  }

  get size(): number {
    return this.#ring.size();
  }

  end(): void {
    this.#ring.end();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#trimming);
    this.#ring.close();
  }

  /** Whether a message came within so many microseconds of looking without sleep. Blocks. */
  spin(microseconds: number): boolean {
    return this.#ring.spinForItems(microseconds);
  }

  /** One value more has been dealt with; false when all have been. */
  countDone(): boolean {
    return this.#ring.countDone();
  }

  /** `ask`: to be woken when it becomes 0. */
  unfinished(ask: boolean): number {
    return this.#ring.unfinished(ask);
  }

  /** From here on short messages wake nobody until ringBell(): several of them, one waking. For the only producer. */
  holdBell(): void {
    this.#ring.holdItemsBell();
  }

  ringBell(): void {
    this.#ring.ringItemsBell();
  }

  /** Puts what was encoded. */
  put(encoded: ByteWriter, fds: readonly number[]): typeof FULL | typeof ENDED | undefined {
    const { length } = encoded;
    if (length === undefined || fds.length > 0 || encoded.memory !== usualMemory) {
      return this.putParts(encoded.parts(), fds, false);
    }
    return outcomeOf(this.#ring.put(HEADROOM + length, false));
  }

  /** `ask`: to be woken when there is room. */
  putParts(parts: readonly Uint8Array[], fds: readonly number[], ask: boolean): typeof FULL | typeof ENDED | undefined {
    return outcomeOf(this.#ring.putParts(parts, ask, fds));
  }

  /**
   * The next value. `ask`: to be woken when there is one. `later`: where it has descriptors, a promise of it, as those may
   * be FileHandles'.
   */
  take(ask: boolean, later: boolean): unknown {
    const limit = isReading ? 0 : STAGING;
    const taken = this.#ring.take(limit, ask);
    this.wasLong = taken > limit;
    if (taken > limit) return this.#takeLong(taken, ask, later);
    if (taken < 0) return nothing(taken);
    if (descriptors[0] !== 0) return this.#withDescriptors(Buffer.from(incoming.subarray(0, taken)), later);
    isReading = true;
    try {
      return decode(incoming, 0, taken, Number.POSITIVE_INFINITY);
    } finally {
      isReading = false;
    }
  }

  #takeLong(size: number, ask: boolean, later: boolean): unknown {
    if (size >= KEPT && mayKeep()) {
      const kept = this.#ring.keep(KEPT, ask);
      if (typeof kept !== 'number') return this.#valueOf(kept);
      if (kept < 0) return nothing(kept);
    }
    for (let room = size; ; ) {
      const buffer = recycledBuffer(room);
      const taken = this.#ring.takeInto(buffer, ask);
      if (taken < 0) return nothing(taken);
      if (taken > room) {
        room = taken; // somebody else took the one before
        continue;
      }
      this.#trimLater();
      const bytes = taken === room ? buffer : Buffer.from(buffer.subarray(0, taken));
      if (descriptors[0] === 0) return deserialize(bytes, { owned: true });
      return this.#withDescriptors(bytes, later);
    }
  }

  /** Without a copy, where the value is a Buffer or has one. */
  #valueOf(kept: ArrayBuffer): unknown {
    this.#trimLater();
    const value = deserialize(Buffer.from(kept), { owned: true });
    const isCopy = typeof value === 'string' || (ArrayBuffer.isView(value) && value.buffer !== kept);
    if (isCopy) this.#ring.forget(kept);
    return value;
  }

  #withDescriptors(bytes: Buffer, later: boolean): unknown {
    const fds = takeDescriptors();
    return later ? deserializeLater(bytes, fds) : deserialize(bytes, { owned: true, descriptors: fds });
  }

  /** `ask`: to be woken when there is room. */
  lend(size: number, ask: boolean): RingLoan | undefined {
    return this.#ring.lend(size, ask);
  }

  /** `ask`: to be woken when there is room. */
  putLoan(loan: RingLoan, size: number, ask: boolean): typeof FULL | typeof ENDED | undefined {
    return outcomeOf(this.#ring.putLoan(loan, size, ask));
  }

  /** The next message in place; one that is too small for that, or has descriptors, as its own bytes. */
  takeLoan(ask: boolean): RingLoan | Uint8Array | typeof EMPTY | typeof ENDED {
    for (;;) {
      const taken = this.#ring.takeLoan(ask);
      if (typeof taken !== 'number') return taken;
      if (taken < 0) return nothing(taken);
      const buffer = new Uint8Array(taken);
      const size = this.#ring.takeInto(buffer, ask);
      if (size < 0) return nothing(size);
      if (size > buffer.length) continue;
      for (const fd of takeDescriptors()) native.closeFd(fd);
      return buffer.subarray(0, size);
    }
  }

  /** Takes the oldest message and forgets it, but for what `read` makes of its bytes; undefined when there was none. */
  discard<R>(read: (bytes: Uint8Array) => R): R | undefined {
    const taken = this.takeLoan(false);
    if (typeof taken === 'symbol') return undefined;
    if (taken instanceof Uint8Array) return read(taken);
    try {
      return read(new Uint8Array(taken.bytes));
    } finally {
      this.giveBack(taken);
    }
  }

  giveBack(loan: RingLoan): void {
    if (this.#isClosed) return;
    this.#ring.giveBack(loan);
    this.#trimLater();
  }

  /** Large messages may be followed by others, for which their memory is kept for a while. */
  #trimLater(): void {
    this.#forgetParent();
    if (this.#trimming !== undefined) {
      this.#trimming.refresh();
      return;
    }
    const trim = (): void => {
      this.#trimming = undefined;
      this.#trimPart();
    };
    this.#trimming = setTimeout(trim, IDLE).unref();
  }

  /** In a forked child: the parent's timer does not run here. */
  #forgetParent(): void {
    if (this.#generation === forkGeneration()) return;
    this.#generation = forkGeneration();
    this.#trimming = undefined;
  }

  readonly #trimPart = (): void => {
    const isWanted = this.#trimming !== undefined; // others have come meanwhile
    if (isWanted || this.#isClosed || !this.#ring.hasSpareMemory()) return;
    if (this.#ring.trim(PART)) setTimeout(this.#trimPart, PAUSE).unref();
  };

  /** Nobody waits for what comes next: memory of a long queue that has been emptied goes back. */
  trimWhenIdle(): void {
    this.#forgetParent();
    if (this.#trimming === undefined && this.#ring.hasSpareMemory()) this.#trimLater();
  }
}

registerCodec(MessageRing, {
  name: 'MessageRing',
  pack: (object) => (object as MessageRing).files(),
  unpack: (packed) => MessageRing.open(packed as Descriptor[]),
});

/** What is kept has to be mapped a second time before a fork. */
function mayKeep(): boolean {
  return native.getrlimit(RLIMIT_AS).soft === Number.POSITIVE_INFINITY;
}

function takeDescriptors(): readonly number[] {
  const count = descriptors[0] as number;
  descriptors[0] = 0;
  return [...descriptors.subarray(1, 1 + count)];
}

function nothing(outcome: number): typeof EMPTY | typeof ENDED {
  return outcome === RING_ENDED ? ENDED : EMPTY;
}

function outcomeOf(outcome: number): typeof FULL | typeof ENDED | undefined {
  if (outcome === PUT_DONE) return undefined;
  return outcome === PUT_FULL ? FULL : ENDED;
}
