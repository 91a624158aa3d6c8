/** Bytes that grow: the output side of the format. */

/** From this size on binary data is handed on as it is instead of being copied into the output. */
const OWN_PART = 64 * 1024;

/** Up to this length a loop writes a string faster than a call into Node does. */
const SHORT_STRING = 24;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

export class ByteWriter {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #at = 0;
  readonly #parts: Uint8Array[] = [];

  #need(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#need(1);
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
      this.byte(ascii);
      this.varint(length);
      if (this.#asciiLoop(value)) return;
      this.#at = start;
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

  #asciiLoop(value: string): boolean {
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) return false;
      this.#bytes[this.#at++] = code;
    }
    return true;
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
    if (this.#at === 0) return;
    this.#parts.push(this.#bytes.subarray(0, this.#at));
    this.#bytes = this.#bytes.subarray(this.#at);
    this.#at = 0;
  }

  /** What was written, in order. Large binary parts are the caller's own memory, not copies. */
  finish(): Uint8Array[] {
    this.#flush();
    return this.#parts;
  }
}
