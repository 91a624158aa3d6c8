/** Bytes that grow: the output side of the format. One writer is used again and again; its memory stays. */

/** From this size on binary data is handed on as it is instead of being copied into the output. */
export const OWN_PART: number = 32 * 1024;

/** Free bytes before the first one written: room for the header of a frame. */
export const HEADROOM = 16;

/** Up to this length a loop writes a string faster than calls into Node do. */
const SHORT_STRING = 96;

/** The memory that a writer keeps; longer messages get more, for once. */
const USUAL = 64 * 1024;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

export class ByteWriter {
  readonly #usual: Buffer = Buffer.allocUnsafeSlow(USUAL);
  #bytes: Buffer = this.#usual;
  #at: number = HEADROOM;
  /** From here on bytes have not been put into #parts. */
  #start: number = HEADROOM;
  #parts: Uint8Array[] = [];

  /** Forgets what was written: parts that were handed out are no longer valid. */
  reset(): void {
    this.#at = HEADROOM;
    this.#start = HEADROOM;
    if (this.#parts.length > 0) this.#parts = [];
    this.#bytes = this.#usual;
  }

  #need(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  byte(value: number): void {
    if (this.#at === this.#bytes.length) this.#need(1);
    this.#bytes[this.#at++] = value;
  }

  /** An integer >= 0. */
  varint(value: number): void {
    this.#need(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A 32-bit integer, small ones of either sign in few bytes. */
  zigzag(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  double(value: number): void {
    this.#need(8);
    double[0] = value;
    this.#bytes.set(doubleBytes, this.#at);
    this.#at += 8;
  }

  /** Tag and text, by `ascii` or `utf16`. */
  text(value: string, ascii: number, utf16: number): void {
    const length = value.length;
    this.#need(2 * length + 9);
    const start = this.#at;
    if (length <= SHORT_STRING) {
      const bytes = this.#bytes;
      let at = start;
      bytes[at++] = ascii;
      bytes[at++] = length;
      let code = 0;
      for (let index = 0; index < length && code < 0x80; index += 1) {
        code = value.charCodeAt(index);
        bytes[at++] = code;
      }
      if (code < 0x80) {
        this.#at = at;
        return;
      }
    } else if (Buffer.byteLength(value) === length) {
      this.byte(ascii);
      this.varint(length);
      this.#at += this.#bytes.write(value, this.#at, 'latin1');
      return;
    }
    this.byte(utf16);
    this.varint(length);
    this.#at += this.#bytes.write(value, this.#at, 'utf16le');
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length >= OWN_PART) {
      this.#flush();
      this.#parts.push(bytes);
      return;
    }
    this.#need(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #flush(): void {
    if (this.#at === this.#start) return;
    this.#parts.push(this.#bytes.subarray(this.#start, this.#at));
    this.#start = this.#at;
  }

  /** The writer's memory: what was written begins at HEADROOM. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /** How much was written; undefined when a part of it is not in `memory` but binary data handed on as it is. */
  get length(): number | undefined {
    return this.#parts.length === 0 ? this.#at - HEADROOM : undefined;
  }

  /** What was written, in order, valid until reset(). Large binary parts are the caller's own memory, not copies. */
  parts(): readonly Uint8Array[] {
    this.#flush();
    return this.#parts;
  }
}
