/** ShareableList: a fixed number of small values in shared memory. */

import { inspect } from 'node:util';
import { ClosedError } from '../errors.js';
import { invalidArgType, invalidArgValue, outOfRange, validateInteger, validateOptions } from '../internal/validate.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import { bytesOfList, type Encoded, encodeValue, fitsInt64, ListLayout, type ShareableValue } from './list_layout.js';
import { SharedMemory } from './shared_memory.js';

export type { ShareableValue } from './list_layout.js';

/** Of ShareableList.create(). Python: `name`; every name goes with its program. */
export interface ShareableListOptions {
  /** 'scores' or '/scores'. Default: one that nobody has. */
  name?: string | undefined;
  /** The name outlives the tree of processes that made the list, until unlink(). Default false. */
  persist?: boolean | undefined;
}

/** Keeps the constructor for create() and open(). */
const internal = Symbol('internal');

function encode(value: unknown, name: string): Encoded {
  if (typeof value === 'bigint' && !fitsInt64(value)) throw outOfRange(name, '>= -(2n ** 63n) && < 2n ** 63n', value);
  const encoded = encodeValue(value);
  if (encoded !== undefined) return encoded;
  throw invalidArgType(name, 'a number, bigint, string, boolean, null or an instance of Uint8Array', value);
}

/**
 * A list of a fixed number of values in named shared memory: numbers, bigints (64 bits), strings, booleans, null, bytes.
 * A slot keeps the room that its first value had: 8 bytes for what is neither text nor bytes, else the length in UTF-8
 * rounded up to the next multiple of 8 that is larger.
 *
 * Python: `multiprocessing.shared_memory.ShareableList`, which opens the same lists, and whose lists open() opens. What
 * Python wrote comes back as Python would read it (it drops zero bytes at the end); its integers as numbers where these
 * are exact, else as bigints.
 *
 * Nothing orders what processes do to a slot: a Lock does, if one writes while others read. Nothing of it blocks.
 */
export class ShareableList implements Iterable<ShareableValue> {
  /** Whose name the list has. Closed and unlinked with the list. Python: `shm` */
  readonly sharedMemory: SharedMemory;
  readonly #layout: ListLayout;

  private constructor(key: typeof internal, sharedMemory: SharedMemory, layout: ListLayout) {
    if (key !== internal) throw new TypeError('a ShareableList is made by ShareableList.create() or .open()');
    this.sharedMemory = sharedMemory;
    this.#layout = layout;
  }

  /**
   * A new list of these values. Doesn't block.
   *
   * Python: `ShareableList(sequence, name=)`
   * @throws as SharedMemory.create() does; ERR_INVALID_ARG_TYPE: a value of another type; ERR_OUT_OF_RANGE: a bigint of
   * more than 64 bits.
   */
  static create(values: Iterable<ShareableValue>, options: ShareableListOptions = {}): ShareableList {
    if (typeof values !== 'object' || values === null || !(Symbol.iterator in values)) {
      throw invalidArgType('values', 'an iterable', values);
    }
    validateOptions(options, 'options');
    const all = [...values].map((value, index) => encode(value, `values[${index}]`));
    const rooms = all.map(({ room }) => room);
    const { name, persist } = options;
    const memory = SharedMemory.create({ size: bytesOfList(rooms), name, persist });
    const layout = ListLayout.create(memory.bytes, rooms);
    for (const [index, encoded] of all.entries()) layout.write(memory.bytes, index, encoded);
    return new ShareableList(internal, memory, layout);
  }

  /**
   * Opens an existing list.
   *
   * Python: `ShareableList(name=name)`
   * @throws as SharedMemory.open() does; ERR_INVALID_ARG_VALUE: what has that name is no list.
   */
  static open(name: string): ShareableList {
    return ShareableList.#in(SharedMemory.open(name));
  }

  static #in(memory: SharedMemory): ShareableList {
    const layout = ListLayout.find(memory.bytes);
    if (layout !== undefined) return new ShareableList(internal, memory, layout);
    memory.close();
    throw invalidArgValue('name', 'must be the name of a ShareableList', memory.name);
  }

  /** The number of slots. Python: `len(list)` */
  get length(): number {
    return this.#layout.length;
  }

  /**
   * The value of a slot. Python: `list[index]`
   * @throws ERR_OUT_OF_RANGE: no such slot; ERR_INVALID_ARG_TYPE; ERR_MP_CLOSED.
   */
  get(index: number): ShareableValue {
    const bytes = this.#open();
    validateInteger(index, 'index', 0, this.length - 1);
    return this.#layout.read(bytes, index);
  }

  /**
   * Writes to a slot; the value may be of another type than before. Python: `list[index] = value`
   * @throws ERR_OUT_OF_RANGE: no such slot, or it has not the room, and the old value stays; ERR_INVALID_ARG_TYPE;
   * ERR_MP_CLOSED.
   */
  set(index: number, value: ShareableValue): void {
    const bytes = this.#open();
    validateInteger(index, 'index', 0, this.length - 1);
    const encoded = encode(value, 'value');
    const room = this.#layout.room(index);
    if (encoded.bytes.length > room) {
      throw outOfRange('value', `at most ${room} bytes long, the room of slot ${index}`, value);
    }
    this.#layout.write(bytes, index, encoded);
  }

  /**
   * The index of the first slot with an equal value (NaN equals itself, bytes are compared one by one); -1 when there
   * is none.
   * Python: `index()`, which raises ValueError
   * @throws ERR_MP_CLOSED.
   */
  indexOf(value: ShareableValue): number {
    let index = 0;
    for (const other of this) {
      if (areEqual(other, value)) return index;
      index += 1;
    }
    return -1;
  }

  /** How many slots have an equal value. Python: `count()` @throws ERR_MP_CLOSED. */
  count(value: ShareableValue): number {
    return this.toArray().filter((other) => areEqual(other, value)).length;
  }

  /** A copy of the values. Python: `list(list)` @throws ERR_MP_CLOSED. */
  toArray(): ShareableValue[] {
    return [...this];
  }

  /** The values, each read when it is asked for. Python: `iter(list)` @throws ERR_MP_CLOSED. */
  *[Symbol.iterator](): Iterator<ShareableValue> {
    for (let index = 0; index < this.length; index += 1) yield this.get(index);
  }

  /** Unmaps the memory; the list stays. Idempotent. Never throws. Python: `shm.close()` */
  close(): void {
    this.sharedMemory.close();
  }

  /** Removes the name; who has the list open keeps it. Python: `shm.unlink()` @throws ENOENT when the name is gone. */
  unlink(): void {
    this.sharedMemory.unlink();
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    const { name, bytes } = this.sharedMemory;
    return `ShareableList '${name}' <${bytes.length === 0 ? 'closed' : `${this.length} slots`}>`;
  }

  #open(): Uint8Array {
    const { bytes } = this.sharedMemory;
    if (bytes.length === 0) throw new ClosedError('this ShareableList is closed');
    return bytes;
  }

  static {
    registerCodec(ShareableList, {
      name: 'ShareableList',
      pack: (object) => {
        const { sharedMemory } = object as ShareableList;
        if (sharedMemory.bytes.length === 0) throw new CannotTravel('is a closed ShareableList');
        return sharedMemory;
      },
      unpack: (packed) => ShareableList.#in(packed as SharedMemory),
    });
  }
}

function areEqual(one: ShareableValue, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}
