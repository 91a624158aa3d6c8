/** The memory that the two ends of a Pipe share: most messages go through it, without a system call. docs/lane.md */

import type { LaneObject, LaneStaging } from '../native/lane.js';
import { native } from '../native/load.js';
import { HEADROOM } from '../serialization/byte_writer.js';
import { Descriptor } from '../serialization/descriptor.js';
import { usualMemory } from '../serialization/serialize.js';

/** Longer messages, with their header, get memory of their own. */
const MOST_SMALL = 16 * 1024;

/** Where small messages are read to. */
export const arrivals: Buffer = Buffer.allocUnsafeSlow(MOST_SMALL);

const staging: LaneStaging = { out: usualMemory, in: arrivals };

export interface PackedLane {
  readonly files: readonly Descriptor[];
  readonly side: 0 | 1;
}

/** One end's half. */
export class Lane {
  readonly native: LaneObject;
  /** Readable when a full lane is worth another try. */
  readonly bell: number;
  readonly #side: 0 | 1;

  private constructor(side: 0 | 1, of?: object) {
    this.native = new native.Lane(staging, side, of);
    this.#side = side;
    this.bell = this.native.files()[1];
  }

  /** For both ends of a Pipe; undefined where the system does not have what it takes: then all goes through the socket. */
  static pair(): [Lane, Lane] | undefined {
    try {
      const first = new Lane(0);
      return [first, new Lane(1, first.native.otherEnd())];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
      return undefined;
    }
  }

  pack(): PackedLane {
    return { files: this.native.files().map((fd) => new Descriptor(fd)), side: this.#side };
  }

  static unpack({ files, side }: PackedLane): Lane {
    const numbers = files.map((file) => file.take());
    return new Lane(side, numbers);
  }

  /** As LaneObject.put(), of a message that begins at `start`. */
  put(memory: Buffer, start: number, length: number, socket: number): number {
    if (memory === usualMemory && start === HEADROOM) return this.native.put(start + length, socket);
    return this.putParts([memory.subarray(start, start + length)], socket, false);
  }

  /** As LaneObject.putParts(). */
  putParts(parts: readonly Uint8Array[], socket: number, ask: boolean): number {
    return this.native.putParts(parts, socket, ask);
  }
}
