/** The input side of the format. Every read is checked: bytes that are not a value throw, they are never misread. */

import { SerializationError } from '../errors.js';

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  fail(why: string): never {
    throw new SerializationError(`these bytes are not a message of this library: ${why} at byte ${this.#at}`);
  }

  /** The offset of `count` bytes, which are then taken. */
  #take(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) this.fail('the end came too early');
    this.#at = start + count;
    return start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Takes the next byte if it is this one. */
  skip(value: number): boolean {
    if (this.#bytes[this.#at] !== value) return false;
    this.#at += 1;
    return true;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
      if (scale > 2 ** 49) this.fail('a number is too long');
    }
    return value;
  }

  zigzag(): number {
    const value = this.varint();
    return (value >>> 1) ^ -(value & 1);
  }

  double(): number {
    const start = this.#take(8);
    for (let index = 0; index < 8; index += 1) doubleBytes[index] = this.#bytes[start + index] as number;
    return double[0] as number;
  }

  ascii(): string {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.toString('latin1', start, start + length);
  }

  utf16(): string {
    const length = this.varint() * 2;
    const start = this.#take(length);
    return this.#bytes.toString('utf16le', start, start + length);
  }

  /** A view of the message's own memory. */
  raw(): Buffer {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }
}
