/** The input side of the format. Every read is checked: bytes that are not a value throw, they are never misread. */

import { SerializationError } from '../errors.js';

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Texts that were read before, by a hash: keys and short values come again and again, and a call into Node takes longer. */
const KNOWN_TEXTS = 512;
const LONGEST_KNOWN = 24;
const NOTHING: Buffer = Buffer.alloc(0);
const known: string[] = new Array<string>(KNOWN_TEXTS).fill('');

export class ByteReader {
  #bytes: Buffer = NOTHING;
  #end = 0;
  #at = 0;

  /** Reads what is in `bytes` from `start` to `end`. */
  begin(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  fail(why: string): never {
    throw new SerializationError(`these bytes are not a message of this library: ${why} at byte ${this.#at}`);
  }

  /** The offset of `count` bytes, which are then taken. */
  #take(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) this.fail('the end came too early');
    this.#at = start + count;
    return start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Takes the next byte if it is this one. */
  skip(value: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== value) return false;
    this.#at += 1;
    return true;
  }

  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (scale > 2 ** 56) this.fail('a number is too long');
    } while (byte >= 0x80);
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
    const bytes = this.#bytes;
    if (length > LONGEST_KNOWN) return bytes.toString('latin1', start, start + length);
    if (length === 0) return '';
    const middle = start + (length >> 1);
    const hash = (bytes[start] as number) + 7 * (bytes[middle] as number) + 31 * (bytes[start + length - 1] as number);
    const place = (hash + 61 * length) & (KNOWN_TEXTS - 1);
    const candidate = known[place] as string;
    if (candidate.length === length) {
      let index = 0;
      while (index < length && candidate.charCodeAt(index) === bytes[start + index]) index += 1;
      if (index === length) return candidate;
    }
    const text = bytes.toString('latin1', start, start + length);
    known[place] = text;
    return text;
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
