/**
 * How a ShareableList lies in memory. CPython's layout, so that its ShareableList reads and writes it too, and behind that
 * what CPython has no place for.
 *
 *   int64   number of slots, n
 *   int64   n + 1 offsets of the slots' bytes, the last one their end
 *   bytes   the slots, 8-byte aligned; each keeps the room that its first value had
 *   8 bytes n formats as Python's struct module writes them: 'q', 'd', 'xxxxxxx?', 'xxxxxx?x', '16s'
 *   int8    n codes: 0 number or boolean, 1 text, 2 bytes, 3 null
 *   ------- not of CPython, 8-byte aligned
 *   int64   signature
 *   uint32  n times: what the value was exactly (its length, or that an integer is a bigint), and a hash of the slot by
 *   uint32  which it is known whether CPython has written there since
 */

/** What a slot holds. Python: the same types, `bytes` for Uint8Array. */
export type ShareableValue = number | bigint | string | boolean | null | Uint8Array;

const ALIGNMENT = 8;
const LEAST_INT64 = -(2n ** 63n);
const MOST_INT64 = 2n ** 63n - 1n;
const SIGNATURE = 0x3174_736c_706dn; // "mplst1"
/** What is noted of integers. */
const IS_NUMBER = 1;
const IS_BIGINT = 2;

/** Python's struct formats. */
const INT64 = 'q';
const FLOAT64 = 'd';
const BOOLEAN = 'xxxxxxx?';
const NULL = 'xxxxxx?x';

const PLAIN_CODE = 0;
const TEXT_CODE = 1;
const BYTES_CODE = 2;
const NULL_CODE = 3;

/** A value as a slot holds it. */
export interface Encoded {
  readonly format: string;
  readonly code: number;
  readonly bytes: Uint8Array;
  readonly note: number;
  /** Room that a first value gets. */
  readonly room: number;
}

function encodeBytes(bytes: Uint8Array, code: number): Encoded {
  const room = ALIGNMENT * (Math.floor(bytes.length / ALIGNMENT) + 1);
  return { format: 's', code, bytes, note: bytes.length, room };
}

function eightBytes(write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(ALIGNMENT);
  write(new DataView(bytes.buffer));
  return bytes;
}

function plain(format: string, code: number, note: number, write: (view: DataView) => void): Encoded {
  return { format, code, bytes: eightBytes(write), note, room: ALIGNMENT };
}

/** undefined: a value that a list can't hold. */
export function encodeValue(value: unknown): Encoded | undefined {
  if (typeof value === 'string') return encodeBytes(Buffer.from(value, 'utf8'), TEXT_CODE);
  if (value instanceof Uint8Array) return encodeBytes(Uint8Array.from(value), BYTES_CODE);
  if (typeof value === 'boolean') return plain(BOOLEAN, PLAIN_CODE, 0, (view) => view.setUint8(7, Number(value)));
  if (value === null) return plain(NULL, NULL_CODE, 0, () => {});
  if (typeof value === 'bigint') return plain(INT64, PLAIN_CODE, IS_BIGINT, (view) => view.setBigInt64(0, value, true));
  if (typeof value !== 'number') return undefined;
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return plain(INT64, PLAIN_CODE, IS_NUMBER, (view) => view.setBigInt64(0, BigInt(value), true));
  }
  return plain(FLOAT64, PLAIN_CODE, 0, (view) => view.setFloat64(0, value, true));
}

export function fitsInt64(value: bigint): boolean {
  return value >= LEAST_INT64 && value <= MOST_INT64;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where everything is in a list of so many slots. */
class Places {
  readonly slots: number;
  readonly formats: number;
  readonly codes: number;
  readonly notes: number;
  readonly end: number;

  constructor(length: number, bytesOfSlots: number) {
    this.slots = (length + 2) * ALIGNMENT;
    this.formats = this.slots + bytesOfSlots;
    this.codes = this.formats + length * ALIGNMENT;
    this.notes = Math.ceil((this.codes + length) / ALIGNMENT) * ALIGNMENT;
    this.end = this.notes + ALIGNMENT + length * ALIGNMENT;
  }
}

export function bytesOfList(rooms: readonly number[]): number {
  return new Places(
    rooms.length,
    rooms.reduce((sum, room) => sum + room, 0),
  ).end;
}

/** The list in a piece of memory. */
export class ListLayout {
  readonly length: number;
  /** Where each slot's bytes begin, and the last one's end. */
  readonly #offsets: Float64Array;
  readonly #places: Places;
  readonly #hasNotes: boolean;

  private constructor(offsets: Float64Array, size: number, view: DataView) {
    this.length = offsets.length - 1;
    this.#offsets = offsets;
    this.#places = new Places(this.length, offsets[this.length] as number);
    const { notes, end } = this.#places;
    this.#hasNotes = end <= size && view.getBigInt64(notes, true) === SIGNATURE;
  }

  /** Writes an empty list with so much room in each slot. */
  static create(bytes: Uint8Array, rooms: readonly number[]): ListLayout {
    const view = viewOf(bytes);
    view.setBigInt64(0, BigInt(rooms.length), true);
    let offset = 0;
    for (const [index, room] of rooms.entries()) {
      offset += room;
      view.setBigInt64((index + 2) * ALIGNMENT, BigInt(offset), true);
    }
    view.setBigInt64(new Places(rooms.length, offset).notes, SIGNATURE, true);
    return ListLayout.find(bytes) as ListLayout;
  }

  /** Of a list that is there; undefined when the memory holds none. */
  static find(bytes: Uint8Array): ListLayout | undefined {
    const view = viewOf(bytes);
    const size = bytes.length;
    if (size < 2 * ALIGNMENT) return undefined;
    const length = Number(view.getBigInt64(0, true));
    if (length < 0 || (length + 2) * ALIGNMENT > size) return undefined;
    const offsets = new Float64Array(length + 1);
    for (let index = 0; index <= length; index += 1) {
      const offset = Number(view.getBigInt64((index + 1) * ALIGNMENT, true));
      if (index === 0 ? offset !== 0 : offset < (offsets[index - 1] as number)) return undefined;
      offsets[index] = offset;
    }
    if (new Places(length, offsets[length] as number).codes + length > size) return undefined;
    return new ListLayout(offsets, size, view);
  }

  room(index: number): number {
    return (this.#offsets[index + 1] as number) - (this.#offsets[index] as number);
  }

  /** The value has been found to fit. */
  write(bytes: Uint8Array, index: number, { format, code, bytes: content, note }: Encoded): void {
    const view = viewOf(bytes);
    const slot = this.#slot(bytes, index);
    const text = format === 's' ? `${slot.length}s` : format;
    const { formats, codes } = this.#places;
    bytes.fill(0, formats + index * ALIGNMENT, formats + (index + 1) * ALIGNMENT);
    bytes.set(Buffer.from(text, 'latin1'), formats + index * ALIGNMENT);
    view.setInt8(codes + index, code);
    slot.fill(0);
    slot.set(content);
    if (!this.#hasNotes) return;
    view.setUint32(this.#note(index), note, true);
    view.setUint32(this.#note(index) + 4, hashOf(slot), true);
  }

  read(bytes: Uint8Array, index: number): ShareableValue {
    const view = viewOf(bytes);
    const { formats, codes, slots } = this.#places;
    const start = formats + index * ALIGNMENT;
    const format = Buffer.from(bytes.subarray(start, start + ALIGNMENT))
      .toString('latin1')
      .replace(/\0+$/, '');
    const at = slots + (this.#offsets[index] as number);
    const slot = this.#slot(bytes, index);
    const note = this.#noteOf(view, index, slot);
    switch (view.getInt8(codes + index)) {
      case TEXT_CODE:
        return utf8.decode(Uint8Array.from(contentOf(slot, note)));
      case BYTES_CODE:
        return Uint8Array.from(contentOf(slot, note));
      case NULL_CODE:
        return null;
    }
    if (format === BOOLEAN) return view.getUint8(at + 7) !== 0;
    if (format === FLOAT64) return view.getFloat64(at, true);
    const integer = view.getBigInt64(at, true);
    if (note === IS_BIGINT) return integer;
    const number = Number(integer);
    return Number.isSafeInteger(number) ? number : integer;
  }

  #slot(bytes: Uint8Array, index: number): Uint8Array {
    const { slots } = this.#places;
    return bytes.subarray(slots + (this.#offsets[index] as number), slots + (this.#offsets[index + 1] as number));
  }

  #note(index: number): number {
    return this.#places.notes + (index + 1) * ALIGNMENT;
  }

  /** undefined when CPython has written the value. */
  #noteOf(view: DataView, index: number, slot: Uint8Array): number | undefined {
    if (!this.#hasNotes || view.getUint32(this.#note(index) + 4, true) !== hashOf(slot)) return undefined;
    return view.getUint32(this.#note(index), true);
  }
}

/** Without a note CPython's rule: zeros at the end are none of the value's. */
function contentOf(slot: Uint8Array, note: number | undefined): Uint8Array {
  if (note !== undefined && note <= slot.length) return slot.subarray(0, note);
  let end = slot.length;
  while (end > 0 && slot[end - 1] === 0) end -= 1;
  return slot.subarray(0, end);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
