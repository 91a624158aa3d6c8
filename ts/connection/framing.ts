/**
 * Messages on a stream of bytes, in CPython's format: the length in four bytes, big-endian and signed, or -1 and the
 * length in eight bytes; then the message. Pure: the bytes come from a function, partial reads and all.
 */

import { EndOfFileError, MessageTooLongError, MultiprocessingError } from '../errors.js';
import { recycledBuffer } from '../internal/recycled_memory.js';

/** Bytes of the short header. */
export const HEADER: number = 4;
/** Longer messages have the long header. */
export const LONGEST_SHORT: number = 2 ** 31 - 1;

/** From this size on a part of a message is written by itself; what is smaller is worth a copy to save a system call. */
const OWN_WRITE = 16 * 1024;

/** read(2): puts bytes into the buffer; how many, 0 at the end of the file, undefined when none are there yet. */
export type ByteSource = (buffer: Uint8Array, offset: number, length: number) => number | undefined;

export function frameHeader(length: number): Buffer {
  if (length <= LONGEST_SHORT) {
    const header = Buffer.allocUnsafe(4);
    header.writeInt32BE(length);
    return header;
  }
  const header = Buffer.allocUnsafe(12);
  header.writeInt32BE(-1);
  header.writeBigUInt64BE(BigInt(length), 4);
  return header;
}

/** The pieces to write for a message made of `parts`: a small message is one piece with its header. */
export function frame(parts: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [frameHeader(parts.reduce((sum, part) => sum + part.length, 0))];
  const flush = (): void => {
    if (small.length > 0) pieces.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.length >= OWN_WRITE) {
      flush();
      pieces.push(part);
    } else if (part.length > 0) {
      small.push(part);
    }
  }
  flush();
  return pieces;
}

/** Takes messages off a stream, never a byte more than the one that is asked for. */
export class FrameReader {
  readonly #header: Buffer = Buffer.alloc(12);
  #headerSize = 4;
  #body: Buffer | undefined;
  /** Bytes of the header, or of the body once there is one. */
  #got = 0;

  /** What was read of the next message by somebody else. */
  #prefix: Buffer | undefined;

  /** False in the middle of a message. */
  get isBetweenMessages(): boolean {
    return this.#got === 0 && this.#body === undefined && this.#prefix === undefined;
  }

  /** Begins the next message with these bytes of it, which are not more than that. */
  resume(bytes: Buffer): void {
    if (bytes.length > 0) this.#prefix = bytes;
  }

  #fromPrefix(buffer: Uint8Array, offset: number, length: number): number {
    const prefix = this.#prefix as Buffer;
    const count = Math.min(length, prefix.length);
    buffer.set(prefix.subarray(0, count), offset);
    this.#prefix = count < prefix.length ? prefix.subarray(count) : undefined;
    return count;
  }

  /**
   * The next message in memory of its own; undefined when the source has no more bytes now: what has come is kept.
   * @throws ERR_MP_EOF; ERR_MP_MESSAGE_TOO_LONG, with nothing allocated and the stream of no more use.
   */
  next(source: ByteSource, maxLength: number = Number.POSITIVE_INFINITY): Buffer | undefined {
    if (this.#body === undefined) {
      if (!this.#fillHeader(source)) return undefined;
      this.#body = memoryFor(this.#length(), maxLength);
      this.#got = 0;
    } else if (this.#body.length > maxLength) {
      throw tooLong(this.#body.length, maxLength);
    }
    const body = this.#body;
    if (!this.#fill(source, body, body.length)) return undefined;
    this.#body = undefined;
    this.#headerSize = 4;
    this.#got = 0;
    return body;
  }

  #fillHeader(source: ByteSource): boolean {
    if (!this.#fill(source, this.#header, this.#headerSize)) return false;
    if (this.#headerSize === 4 && this.#header.readInt32BE() === -1) {
      this.#headerSize = 12;
      return this.#fill(source, this.#header, 12);
    }
    return true;
  }

  #length(): number {
    if (this.#headerSize === 12) return Number(this.#header.readBigUInt64BE(4));
    const length = this.#header.readInt32BE();
    if (length < 0) throw new MultiprocessingError(`the stream is broken: a message of ${length} bytes was announced`);
    return length;
  }

  #fill(source: ByteSource, buffer: Buffer, size: number): boolean {
    while (this.#got < size) {
      const wanted = size - this.#got;
      const count =
        this.#prefix === undefined ? source(buffer, this.#got, wanted) : this.#fromPrefix(buffer, this.#got, wanted);
      if (count === undefined) return false;
      if (count === 0) throw this.#endOfFile(size);
      this.#got += count;
    }
    return true;
  }

  #endOfFile(size: number): EndOfFileError {
    if (this.isBetweenMessages) return new EndOfFileError('the other end is closed');
    const whole = this.#body === undefined ? `the ${size} bytes of its header` : `its ${size} bytes`;
    return new EndOfFileError(`the other end closed in the middle of a message: ${this.#got} of ${whole} came`);
  }
}

function tooLong(length: number, maxLength: number): MessageTooLongError {
  return new MessageTooLongError(`a message of ${length} bytes was announced, at most ${maxLength} are wanted`);
}

/** For a message of that length. @throws ERR_MP_MESSAGE_TOO_LONG: longer than that, or than this process can hold. */
export function memoryFor(length: number, maxLength: number): Buffer {
  if (length > maxLength) throw tooLong(length, maxLength);
  try {
    return recycledBuffer(length);
  } catch (error) {
    const what = `a message of ${length} bytes was announced, which is more than this process can hold`;
    throw new MessageTooLongError(what, { cause: error });
  }
}
