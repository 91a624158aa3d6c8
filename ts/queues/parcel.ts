/** A value on its way into a queue that has to wait for room. */

import { ClosedError } from '../errors.js';
import { recycledCopy } from '../internal/recycled_memory.js';
import { PENDING } from '../internal/request_line.js';
import { native } from '../native/load.js';
import type { ByteWriter } from '../serialization/byte_writer.js';
import { ENDED, FULL, type MessageRing } from './message_ring.js';

export function endedForPut(): Error {
  return new ClosedError('this queue was ended: nothing can be put any more');
}

export class Parcel {
  readonly #ring: MessageRing;
  readonly #ask: boolean;
  #parts: readonly Uint8Array[];
  #descriptors: readonly number[];

  /** The parts and descriptors stay whose they are until it is in, or settleIn(). */
  constructor(ring: MessageRing, encoded: ByteWriter, descriptors: readonly number[], ask: boolean) {
    this.#ring = ring;
    this.#ask = ask;
    this.#parts = encoded.parts();
    this.#descriptors = descriptors;
  }

  /** Copies them: the caller may change its memory and close its descriptors now. discard() is due then. */
  settleIn(): void {
    this.#parts = this.#parts.map(recycledCopy);
    this.#descriptors = this.#descriptors.map((fd) => native.dup(fd));
  }

  readonly attempt = (): typeof PENDING | undefined => {
    const outcome = this.#ring.putParts(this.#parts, this.#descriptors, this.#ask);
    if (outcome === FULL) return PENDING;
    if (outcome === ENDED) throw endedForPut();
    return undefined;
  };

  /** Closes the descriptors' copies. */
  readonly discard = (): void => {
    for (const fd of this.#descriptors) native.closeFd(fd);
  };

  get hasDescriptors(): boolean {
    return this.#descriptors.length > 0;
  }
}
