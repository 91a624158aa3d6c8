/** Bytes to values: the other half of serialize.ts. */

import { SerializationError } from '../errors.js';
import { recycledBuffer } from '../internal/recycled_memory.js';
import { native } from '../native/load.js';
import { ByteReader } from './byte_reader.js';
import { Descriptor } from './descriptor.js';
import { bareError } from './error_classes.js';
import { registerFileHandles, withSpares } from './file_handles.js';
import * as tag from './format.js';
import { CannotTravel, codecNamed } from './registry.js';
import { registerSockets } from './sockets.js';

registerSockets();
registerFileHandles();

type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Resolves with deserialize(); with descriptors it takes a turn of the loop, and then any of them may be a FileHandle's. */
export function deserializeLater(bytes: Uint8Array, descriptors: readonly number[]): Promise<unknown> {
  return withSpares(bytes, descriptors, () => deserialize(bytes, { owned: true, descriptors }));
}

/** `owned`: the bytes are given away. `descriptors`: those that came with them, given away in any case. */
export interface DeserializeOptions {
  owned?: boolean;
  descriptors?: readonly number[];
}

/**
 * The value that serialize() made bytes of. It shares no memory with `bytes`, unless those are given away (`owned`): then
 * a Buffer that makes up most of them is a view of them. Doesn't block.
 *
 * Python: `pickle.loads`.
 * @throws ERR_MP_SERIALIZE when the bytes are not a message of this library.
 */
export function deserialize(bytes: Uint8Array, options: DeserializeOptions = {}): unknown {
  const { owned = false, descriptors } = options;
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const viewFrom = owned ? bytes.length / 2 : Number.POSITIVE_INFINITY;
  if (descriptors === undefined || descriptors.length === 0) return decode(buffer, 0, buffer.length, viewFrom);
  const travelled = descriptors.map((fd) => new Descriptor(fd));
  try {
    return decode(buffer, 0, buffer.length, viewFrom, travelled);
  } finally {
    for (const descriptor of travelled) if (!descriptor.isTaken) native.closeFd(descriptor.fd);
  }
}

/** deserialize() of the bytes from `start` to `end`. Buffers of at least `viewFrom` bytes are views of the message. */
export function decode(
  bytes: Buffer,
  start: number,
  end: number,
  viewFrom: number,
  descriptors: readonly Descriptor[] = [],
): unknown {
  // The commonest of all: a text by itself, its length in one byte.
  if (bytes[start] === tag.ASCII && end - start - 2 === bytes[start + 1] && end - start < 130) {
    return bytes.toString('latin1', start + 2, end);
  }
  // A codec may deserialise something itself.
  const decoder = spare ?? new Decoder();
  spare = undefined;
  try {
    return decoder.decode(bytes, start, end, viewFrom, descriptors);
  } finally {
    spare = decoder;
  }
}

let spare: Decoder | undefined;

const NO_BYTES: Buffer = Buffer.alloc(0);

class Decoder {
  readonly #in: ByteReader = new ByteReader();
  #viewFrom = 0;
  #descriptors: readonly Descriptor[] = [];
  #objects: unknown[] = [];

  decode(bytes: Buffer, start: number, end: number, viewFrom: number, descriptors: readonly Descriptor[]): unknown {
    this.#in.begin(bytes, start, end);
    this.#viewFrom = viewFrom;
    this.#descriptors = descriptors;
    try {
      const value = this.read();
      if (this.#in.left > 0) this.#in.fail('there is more than one value');
      return value;
    } finally {
      if (this.#objects.length > 0) this.#objects = [];
      // Who keeps a view decides how long the message is there.
      if (viewFrom !== Number.POSITIVE_INFINITY) this.#in.begin(NO_BYTES, 0, 0);
    }
  }

  /** Numbers an object before its parts are read: they may refer to it. */
  #begin<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** Numbers an object that exists only when its parts have been read. */
  #finish<T extends object>(make: () => T): T {
    const number = this.#objects.push(undefined) - 1;
    const object = make();
    this.#objects[number] = object;
    return object;
  }

  read(): unknown {
    const source = this.#in;
    const kind = source.byte();
    switch (kind) {
      case tag.UNDEFINED:
        return undefined;
      case tag.NULL:
        return null;
      case tag.FALSE:
        return false;
      case tag.TRUE:
        return true;
      case tag.INTEGER:
        return source.zigzag();
      case tag.DOUBLE:
        return source.double();
      case tag.ASCII:
        return source.ascii();
      case tag.UTF16:
        return source.utf16();
      case tag.BIGINT:
        return this.#bigint();
      case tag.REFERENCE:
        return this.#objects[source.varint()] ?? source.fail('a reference leads nowhere');
      default:
        return this.#object(kind);
    }
  }

  #object(kind: number): unknown {
    const source = this.#in;
    switch (kind) {
      case tag.OBJECT:
        return this.#properties(this.#begin({}));
      case tag.ARRAY:
        return this.#array();
      case tag.SPARSE_ARRAY:
        return this.#sparseArray();
      case tag.BUFFER:
        return this.#buffer();
      case tag.VIEW:
      case tag.WHOLE_VIEW:
        return this.#view(kind);
      case tag.ARRAY_BUFFER:
        return this.#begin(copyOf(source.raw()));
      case tag.RESIZABLE_BUFFER:
        return this.#begin(this.#resizable());
      case tag.MAP:
        return this.#map();
      case tag.SET:
        return this.#set();
      case tag.DATE:
        return this.#begin(new Date(source.double()));
      case tag.REGEXP:
        return this.#regExp();
      case tag.BOXED:
        return this.#finish(() => Object(this.read()) as object);
      case tag.ERROR:
        return this.#error();
      case tag.DOM_EXCEPTION:
        return this.#domException();
      case tag.REGISTERED:
        return this.#registered();
      case tag.DESCRIPTOR:
        return this.#begin(this.#descriptors[source.varint()] ?? source.fail('a descriptor did not come with them'));
      default:
        return source.fail(`${kind} is no kind of value`);
    }
  }

  #text(): string {
    const kind = this.#in.byte();
    if (kind === tag.ASCII) return this.#in.ascii();
    if (kind === tag.UTF16) return this.#in.utf16();
    return this.#in.fail('text was expected');
  }

  #bigint(): bigint {
    const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(this.#text()) ?? this.#in.fail('a bigint was expected');
    const magnitude = BigInt(`0x${digits}`);
    return sign === '-' ? -magnitude : magnitude;
  }

  #properties<T extends object>(object: T): T {
    for (let left = this.#in.varint(); left > 0; left -= 1) {
      const key = this.#text();
      const value = this.read();
      if (key === '__proto__') defineProperty(object, key, value, true);
      else (object as Record<string, unknown>)[key] = value;
    }
    return object;
  }

  #array(): unknown[] {
    const length = this.#in.varint();
    const array: unknown[] = this.#begin([]);
    for (let index = 0; index < length; index += 1) {
      if (this.#in.skip(tag.HOLE)) array.length = index + 1;
      else array.push(this.read());
    }
    return array;
  }

  #sparseArray(): unknown[] {
    const array: unknown[] = this.#begin([]);
    const length = this.#in.varint();
    if (length > 2 ** 32 - 1) this.#in.fail('an array is too long');
    array.length = length;
    return this.#properties(array);
  }

  #map(): Map<unknown, unknown> {
    const map = this.#begin(new Map<unknown, unknown>());
    for (let left = this.#in.varint(); left > 0; left -= 1) {
      const key = this.read();
      map.set(key, this.read());
    }
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#begin(new Set<unknown>());
    for (let left = this.#in.varint(); left > 0; left -= 1) set.add(this.read());
    return set;
  }

  #buffer(): Buffer {
    const bytes = this.#in.raw();
    return this.#begin(bytes.length >= this.#viewFrom ? bytes : Buffer.from(copyOf(bytes)));
  }

  #view(kind: number): ArrayBufferView {
    const source: ByteReader = this.#in;
    const name = tag.VIEW_NAMES[source.byte()] ?? source.fail('there is no such view');
    const type = (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
    if (type === undefined) source.fail(`this Node has no ${name}`);
    return this.#finish(() => {
      const buffer = kind === tag.VIEW ? copyOf(source.raw()) : this.read();
      if (!(buffer instanceof ArrayBuffer)) source.fail('an ArrayBuffer was expected');
      try {
        return new type(buffer);
      } catch {
        return source.fail('a view does not fit its ArrayBuffer');
      }
    });
  }

  #resizable(): ArrayBuffer {
    const maxByteLength = this.#in.varint();
    const bytes = this.#in.raw();
    type Resizable = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    try {
      const buffer = new (ArrayBuffer as unknown as Resizable)(bytes.length, { maxByteLength });
      new Uint8Array(buffer).set(bytes);
      return buffer;
    } catch {
      return this.#in.fail('an ArrayBuffer of that size is not possible');
    }
  }

  #regExp(): RegExp {
    const source = this.#text();
    const flags = this.#text();
    try {
      return this.#begin(new RegExp(source, flags));
    } catch {
      return this.#in.fail('a regular expression is none');
    }
  }

  #error(): Error {
    const error = this.#begin(bareError(this.#text()));
    const message = this.#text();
    if (message !== '') defineProperty(error, 'message', message, false);
    defineProperty(error, 'stack', this.read(), false);
    for (let left = this.#in.varint(); left > 0; left -= 1) {
      const key = this.#text();
      const enumerable = this.#in.byte() === tag.TRUE;
      defineProperty(error, key, this.read(), enumerable);
    }
    return error;
  }

  #domException(): DOMException {
    const name = this.#text();
    const error = this.#begin(new DOMException(this.#text(), name));
    defineProperty(error, 'stack', this.#text(), false);
    return error;
  }

  #registered(): object {
    const name = this.#text();
    const codec = codecNamed(name) ?? this.#in.fail(`this process does not know the class ${name}`);
    return this.#finish(() => {
      const packed = this.read();
      try {
        return codec.unpack(packed);
      } catch (error) {
        if (error instanceof CannotTravel) throw new SerializationError(error.message, { cause: error });
        throw error;
      }
    });
  }
}

/** The bytes in an ArrayBuffer of their own, exactly as long. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = recycledBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

function defineProperty(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}
