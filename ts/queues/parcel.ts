/** A value on its way into a queue that has to wait for room. */

import { ClosedError } from '../errors.js';
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
  readonly #parts: readonly Uint8Array[];
  readonly #descriptors: readonly number[];

  /** A copy of what was encoded: the caller may change its memory and close its descriptors. */
  constructor(ring: MessageRing, encoded: ByteWriter, descriptors: readonly number[], ask: boolean) {
    this.#ring = ring;
    this.#ask = ask;
    this.#parts = encoded.parts().map((part) => Buffer.from(part));
    this.#descriptors = descriptors.map((fd) => native.dup(fd));
  }

  readonly attempt = (): typeof PENDING | undefined => {
    const outcome = this.#ring.putParts(this.#parts, this.#descriptors, this.#ask);
    if (outcome === FULL) return PENDING;
    if (outcome === ENDED) throw endedForPut();
    return undefined;
  };

  /** Closes its descriptors. */
  readonly discard = (): void => {
    for (const fd of this.#descriptors) native.closeFd(fd);
  };

  get hasDescriptors(): boolean {
    return this.#descriptors.length > 0;
  }
}
