/** The face of native/binding/ring_api.cc. */

export const PUT_DONE = 0;
export const PUT_FULL = 1;
export const TAKE_EMPTY = -1;
/** Of put() and of take(). */
export const RING_ENDED = -2;

export interface RingObject {
  /**
   * Appends one message made of the parts: PUT_DONE, PUT_FULL or RING_ENDED. Full, with `ask`: the bell of space rings
   * when it is worth another try.
   */
  put(parts: readonly Uint8Array[], ask: boolean): number;
  /**
   * Takes the oldest message: its size when it is in `buffer`, itself in memory of its own when it is too long for that,
   * TAKE_EMPTY or RING_ENDED. Empty, with `ask`: the bell of items rings when it is worth another try.
   */
  take(buffer: Uint8Array, ask: boolean): number | Uint8Array;
  end(): void;
  size(): number;
  /** Descriptors that poll readable; they stay the ring's. */
  itemsBell(): number;
  spaceBell(): number;
  /** Idempotent. */
  close(): void;
}

export interface RingBinding {
  /** `capacity` in bytes of address space, a multiple of the page size; `maxCount` 0: as many messages as fit. */
  Ring: new (
    capacity: number,
    maxCount: number,
  ) => RingObject;
}
