/** The face of native/binding/ring_api.cc. */

export const PUT_DONE = 0;
export const PUT_FULL = 1;
export const TAKE_EMPTY = -1;
/** Of put() and of take(). */
export const RING_ENDED = -2;

/** A part of the ring's memory in this process's hands. */
export interface RingLoan {
  readonly number: number;
  readonly first: number;
  /** Detached by putLoan() and giveBack(): every view of it has length 0 then. */
  readonly bytes: ArrayBuffer;
}

export interface RingObject {
  /**
   * Appends one message, what is in `staging.out` from HEADROOM to `end`: PUT_DONE, PUT_FULL or RING_ENDED. Full, with
   * `ask`: the bell of space rings when it is worth another try.
   */
  put(end: number, ask: boolean): number;
  /** put() of one message made of the parts; the descriptors stay the caller's. */
  putParts(parts: readonly Uint8Array[], ask: boolean, descriptors: readonly number[]): number;
  /**
   * Takes the oldest message into `staging.in`: its size, TAKE_EMPTY or RING_ENDED. A size larger than `limit`, or than
   * there is room: nothing was taken. Descriptors that came along are in `staging.descriptors`, after their number; the
   * caller owns them. Empty, with `ask`: the bell of items rings when it is worth another try.
   */
  take(limit: number, ask: boolean): number;
  /** take() into another memory, as long as that is. */
  takeInto(buffer: Uint8Array, ask: boolean): number;
  /** Room for a message to be written in place; undefined while there is none: with `ask` the bell of space rings then. */
  lend(size: number, ask: boolean): RingLoan | undefined;
  putLoan(loan: RingLoan, size: number, ask: boolean): number;
  /** The oldest message in place; TAKE_EMPTY, RING_ENDED; or the size of one that can only be taken. */
  takeLoan(ask: boolean): RingLoan | number;
  giveBack(loan: RingLoan): void;
  /**
   * The oldest message in the ring's memory, which is the ring's again when nobody refers to it; TAKE_EMPTY, RING_ENDED; or
   * the size of one that can only be taken: of less than `least` bytes, or there would be too many of these.
   */
  keep(least: number, ask: boolean): ArrayBuffer | number;
  /** keep()'s memory is the ring's again now; every view of it has length 0. */
  forget(kept: ArrayBuffer): void;
  /** From here on short messages wake nobody until ringItemsBell(): for the only producer. */
  holdItemsBell(): void;
  /** Wakes who sleeps, if anybody does. */
  ringItemsBell(): void;
  end(): void;
  size(): number;
  /** Looks for a message without sleeping, for so long at most. Blocks. */
  spinForItems(microseconds: number): boolean;
  /** False when as many have been counted as were put. */
  countDone(): boolean;
  /** Messages put and not counted. With `ask`: when it becomes 0 the bell rings. */
  unfinished(ask: boolean): number;
  /** Gives up to `most` bytes of memory back that no message uses; whether there were any. */
  trim(most: number): boolean;
  hasSpareMemory(): boolean;
  /** [memory, itemsBell, spaceBell, doneBell, mailIn, mailOut]: the bells poll readable. They stay the ring's. */
  files(): [number, number, number, number, number, number];
  /** Idempotent. */
  close(): void;
}

/** Memory between JavaScript and rings, kept by them: it must not be detached. */
export interface RingStaging {
  readonly out: Uint8Array;
  readonly in: Uint8Array;
  readonly descriptors: Int32Array;
}

export interface RingBinding {
  Ring: {
    /** `capacity` in bytes of address space, a multiple of the page size; `maxCount` 0: as many messages as fit. */
    new (staging: RingStaging, capacity: number, maxCount: number): RingObject;
    /** The ring that another process has made; takes over its files() as copied, whatever happens. */
    new (staging: RingStaging, files: readonly number[]): RingObject;
  };
}
