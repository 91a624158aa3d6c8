/** Values to bytes: structured clone's rules, with Buffers, whole errors, and a path in the refusal. */

import { inspect, types } from 'node:util';
import { SerializationError } from '../errors.js';
import { ByteWriter, HEADROOM, OWN_PART } from './byte_writer.js';
import { Descriptor, MOST_DESCRIPTORS } from './descriptor.js';
import { nearestErrorClass } from './error_classes.js';
import * as tag from './format.js';
import { CannotTravel, codecOf } from './registry.js';
import { pathText, type Step } from './value_path.js';

/** From this length on looking for named properties of an array (a match's `index`) by listing its keys costs more than all else. */
const LONG_ARRAY = 256;

/** Up to so many objects a search in a list is faster than a Map. */
const FEW_OBJECTS = 12;

/**
 * The bytes of a value, in parts to be joined. What structured clone carries travels by value, and so do Buffers, views
 * of SharedArrayBuffers and the own properties of errors; a class's instance arrives as its own enumerable properties.
 * Large binary parts are the caller's own memory: use or copy them before anything else runs. Doesn't block.
 *
 * `root` is what the refusal calls the value. With `descriptors` the channel carries them: those of the value are
 * appended, they stay their owners'. Python: `pickle.dumps`.
 * @throws ERR_MP_SERIALIZE with the path to what can't travel: 'args[0].handler.onClick is a function'.
 */
export function serialize(value: unknown, root: string = 'value', descriptors?: number[]): Uint8Array[] {
  const out = encode(value, root, descriptors);
  const { length } = out;
  if (length !== undefined) return [Buffer.from(out.memory.subarray(HEADROOM, HEADROOM + length))];
  return out.parts().map((part) => (part.buffer === out.memory.buffer ? Buffer.from(part) : part));
}

const usual: ByteWriter = new ByteWriter();
/** Where encode() puts what is neither long nor part of another encode(). */
export const usualMemory: Buffer = usual.memory;
let isInUse = false;

/**
 * serialize() without a copy: what it returns is valid until the next call. `plain`: arrays that the caller knows to have
 * nothing but their elements, which takes as long to find out as to write a short one.
 */
export function encode(value: unknown, root: string, descriptors?: number[], plain?: readonly unknown[]): ByteWriter {
  // A getter, or a codec, may serialise something itself.
  const out = isInUse ? new ByteWriter() : usual;
  const outer = isInUse;
  isInUse = true;
  const before = descriptors?.length ?? 0;
  try {
    out.reset();
    if (!primitive(out, value)) new Encoder(out, root, descriptors, plain).write(value);
    return out;
  } catch (error) {
    if (descriptors !== undefined) descriptors.length = before;
    if (error === NO_TRAVELLER) return retrace(value, root, descriptors);
    if (!(error instanceof RangeError) || !/call stack/.test(error.message)) throw error;
    throw new SerializationError(`${root} is nested too deeply`, { cause: error });
  } finally {
    isInUse = outer;
  }
}

/** Something in the value can't travel; which is found out in a second walk that keeps track of where it is. */
const NO_TRAVELLER: Error = new Error('something in the value can not travel');

function retrace(value: unknown, root: string, descriptors: number[] | undefined): never {
  new Encoder(new ByteWriter(), root, descriptors === undefined ? undefined : [], undefined, [root]).write(value);
  throw new SerializationError(`${root} can't travel, and changed while it was looked at`);
}

/** What needs no walk; false for all else. */
function primitive(out: ByteWriter, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      out.text(value, tag.ASCII, tag.UTF16);
      return true;
    case 'number':
      writeNumber(out, value);
      return true;
    case 'boolean':
      out.byte(value ? tag.TRUE : tag.FALSE);
      return true;
    case 'undefined':
      out.byte(tag.UNDEFINED);
      return true;
    case 'object':
      if (value !== null) return false;
      out.byte(tag.NULL);
      return true;
    default:
      return false;
  }
}

function writeNumber(out: ByteWriter, value: number): void {
  if ((value | 0) === value && !Object.is(value, -0)) {
    out.byte(tag.INTEGER);
    out.zigzag(value);
  } else {
    out.byte(tag.DOUBLE);
    out.double(value);
  }
}

class Encoder {
  readonly out: ByteWriter;
  readonly #descriptors: number[] | undefined;
  readonly #root: string;
  readonly #plain: readonly unknown[] | undefined;
  /** Where the walk is; kept by the second walk only. */
  readonly #path: Step[] | undefined;
  /** How long the path was at the outermost object that a codec has packed. */
  #packedAt: number | undefined;
  /** Objects in the order of their numbers; `#numbers` once there are many. */
  readonly #objects: object[] = [];
  #numbers: Map<object, number> | undefined;

  constructor(
    out: ByteWriter,
    root: string,
    descriptors: number[] | undefined,
    plain: readonly unknown[] | undefined,
    path?: Step[],
  ) {
    this.out = out;
    this.#root = root;
    this.#descriptors = descriptors;
    this.#plain = plain;
    this.#path = path;
  }

  /** A value that is the property, element or entry `step` of the one being written. */
  #part(value: unknown, step: Step): void {
    if (primitive(this.out, value)) return;
    if (this.#path === undefined) {
      this.write(value);
      return;
    }
    this.#path.push(step);
    this.write(value);
    this.#path.pop();
  }

  /** The number of an object that was begun earlier; undefined for a new one, which gets the next. */
  #numberOf(object: object): number | undefined {
    if (this.#numbers !== undefined) {
      const number = this.#numbers.get(object);
      if (number === undefined) this.#numbers.set(object, this.#numbers.size);
      return number;
    }
    const objects = this.#objects;
    for (let number = 0; number < objects.length; number += 1) if (objects[number] === object) return number;
    objects.push(object);
    if (objects.length > FEW_OBJECTS) this.#numbers = new Map(objects.map((each, number) => [each, number]));
    return undefined;
  }

  #refuse(what: string): never {
    if (this.#path === undefined) throw NO_TRAVELLER;
    throw new SerializationError(`${pathText(this.#path)} ${what}`);
  }

  write(value: unknown): void {
    const { out } = this;
    if (primitive(out, value)) return;
    if (typeof value === 'bigint') {
      out.byte(tag.BIGINT);
      this.#text(value.toString(16));
    } else if (typeof value === 'object') {
      this.#object(value as object);
    } else {
      this.#refuse(`is a ${typeof value}`);
    }
  }

  #object(value: object): void {
    const earlier = this.#numberOf(value);
    if (earlier !== undefined) {
      this.out.byte(tag.REFERENCE);
      this.out.varint(earlier);
      return;
    }
    if (Array.isArray(value)) return this.#array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#properties(value);
    if (ArrayBuffer.isView(value)) return this.#view(value);
    this.#instance(value);
  }

  #instance(value: object): void {
    if (value instanceof Descriptor) return this.#descriptor(value);
    const codec = codecOf(value);
    if (codec !== undefined) return this.#registered(codec, value);
    if (value instanceof DOMException) return this.#domException(value);
    if (types.isNativeError(value)) return this.#error(value);
    if (types.isMap(value)) return this.#map(value);
    if (types.isSet(value)) return this.#set(value);
    if (types.isDate(value)) {
      this.out.byte(tag.DATE);
      this.out.double(value.getTime());
    } else if (types.isRegExp(value)) {
      this.out.byte(tag.REGEXP);
      this.#text(value.source);
      this.#text(value.flags);
    } else if (types.isArrayBuffer(value)) {
      this.#arrayBuffer(value);
    } else if (types.isBoxedPrimitive(value)) {
      this.out.byte(tag.BOXED);
      this.write(value.valueOf());
    } else {
      this.#refuseBuiltIn(value);
      this.#properties(value);
    }
  }

  #text(value: string): void {
    this.out.text(value, tag.ASCII, tag.UTF16);
  }

  /** What has no data of its own to send: a Promise, a WeakMap, a URL, a stream, an iterator, … */
  #refuseBuiltIn(value: object): void {
    const name = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
    if (typeof name !== 'string') return;
    const builtIn: unknown = (globalThis as Record<string, unknown>)[name];
    const isBuiltIn = typeof builtIn === 'function' && value instanceof builtIn;
    if (isBuiltIn || types.isGeneratorObject(value) || / Iterator$/.test(name)) {
      this.#refuse(`is ${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`);
    }
  }

  #array(value: readonly unknown[]): void {
    if (this.#plain?.includes(value) !== true && isUnusual(value)) {
      this.out.byte(tag.SPARSE_ARRAY);
      this.out.varint(value.length);
      this.#entries(value, Object.keys(value));
      return;
    }
    this.out.byte(tag.ARRAY);
    this.out.varint(value.length);
    for (let index = 0; index < value.length; index += 1) {
      const element = value[index];
      if (element === undefined && !(index in value)) this.out.byte(tag.HOLE);
      else this.#part(element, index);
    }
  }

  #properties(value: object): void {
    this.out.byte(tag.OBJECT);
    this.#entries(value, Object.keys(value));
  }

  #entries(value: object, keys: readonly string[]): void {
    this.out.varint(keys.length);
    for (const key of keys) {
      this.#text(key);
      this.#part((value as Record<string, unknown>)[key], key);
    }
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.out.byte(tag.MAP);
    this.out.varint(value.size);
    for (const [key, entry] of [...value]) {
      this.#part(key, { keyOf: key });
      this.#part(entry, { at: key });
    }
  }

  #set(value: ReadonlySet<unknown>): void {
    this.out.byte(tag.SET);
    this.out.varint(value.size);
    for (const member of [...value]) this.#part(member, { keyOf: member });
  }

  #view(value: ArrayBufferView): void {
    if (Buffer.isBuffer(value)) {
      this.out.byte(tag.BUFFER);
      this.#bytes(value);
      return;
    }
    const name = types.isDataView(value) ? 'DataView' : (value as Uint8Array)[Symbol.toStringTag];
    const kind = tag.VIEW_NAMES.indexOf(name);
    if (kind < 0) this.#refuse(`is a ${name}`);
    const isShared = types.isSharedArrayBuffer(value.buffer);
    if (!isShared && value.byteLength === value.buffer.byteLength) {
      this.out.byte(tag.WHOLE_VIEW);
      this.out.byte(kind);
      this.#part(value.buffer, 'buffer');
    } else {
      this.out.byte(tag.VIEW);
      this.out.byte(kind);
      this.#bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
  }

  #arrayBuffer(value: ArrayBuffer): void {
    const { resizable, maxByteLength } = value as ArrayBuffer & { resizable?: boolean; maxByteLength?: number };
    this.out.byte(resizable === true ? tag.RESIZABLE_BUFFER : tag.ARRAY_BUFFER);
    if (resizable === true) this.out.varint(maxByteLength ?? value.byteLength);
    this.#bytes(new Uint8Array(value));
  }

  #bytes(value: Uint8Array): void {
    this.out.varint(value.length);
    // Native code that reads the memory later than now would race with other threads.
    const isForeign = value.length >= OWN_PART && types.isSharedArrayBuffer(value.buffer);
    this.out.raw(isForeign ? Uint8Array.from(value) : value);
  }

  #descriptor({ fd }: Descriptor): void {
    const descriptors = this.#descriptors;
    if (descriptors === undefined) {
      // It is the object that is named, not what its codec made of it.
      if (this.#path !== undefined && this.#packedAt !== undefined) this.#path.length = this.#packedAt;
      this.#refuse("has a descriptor, which this channel can't carry");
    }
    if (descriptors.length === MOST_DESCRIPTORS) {
      throw new SerializationError(`${this.#root} has more than ${MOST_DESCRIPTORS} descriptors`);
    }
    this.out.byte(tag.DESCRIPTOR);
    this.out.varint(descriptors.push(fd) - 1);
  }

  #error(error: Error): void {
    const className = nearestErrorClass(error);
    this.out.byte(tag.ERROR);
    this.#text(className);
    this.#text(String(error.message));
    this.#part(typeof error.stack === 'string' ? error.stack : undefined, 'stack');
    const keys = Object.getOwnPropertyNames(error).filter((key) => key !== 'message' && key !== 'stack');
    const named = !keys.includes('name') && error.name !== className;
    this.out.varint(keys.length + (named ? 1 : 0));
    if (named) this.#errorProperty('name', false, String(error.name));
    for (const key of keys) {
      const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
      this.#errorProperty(key, enumerable, (error as unknown as Record<string, unknown>)[key]);
    }
  }

  #errorProperty(key: string, enumerable: boolean, value: unknown): void {
    this.#text(key);
    this.out.byte(enumerable ? tag.TRUE : tag.FALSE);
    this.#part(value, key);
  }

  #domException(value: DOMException): void {
    this.out.byte(tag.DOM_EXCEPTION);
    this.#text(value.name);
    this.#text(value.message);
    this.#text(String(value.stack));
  }

  #registered(codec: { name: string; pack(object: object): unknown }, value: object): void {
    this.out.byte(tag.REGISTERED);
    this.#text(codec.name);
    let packed: unknown;
    try {
      packed = codec.pack(value);
    } catch (error) {
      if (error instanceof CannotTravel) this.#refuse(error.message);
      throw error;
    }
    const outer = this.#packedAt;
    this.#packedAt ??= this.#path?.length;
    this.write(packed);
    this.#packedAt = outer;
  }
}

/** Keys come with the indexes first, in their order. */
function areAllIndexes(keys: readonly string[], length: number): boolean {
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1));
}

/** Whether it has named properties, or far fewer elements than its length says; of a short one, any fewer. */
function isUnusual(value: readonly unknown[]): boolean {
  if (value.length < LONG_ARRAY) return !areAllIndexes(Object.keys(value), value.length);
  return isMostlyHoles(value) || !inspect(value, NO_ELEMENTS).endsWith(`[ ... ${value.length} more items ]`);
}

/** inspect() finds named properties without a look at the elements, which no other way of JavaScript does. */
const NO_ELEMENTS = {
  maxArrayLength: 0,
  maxStringLength: 0,
  depth: 0,
  breakLength: Number.POSITIVE_INFINITY,
  customInspect: false,
  getters: false,
} as const;

/** A guess: whether listing the elements there are takes less than one tag for each that is missing. */
function isMostlyHoles(value: readonly unknown[]): boolean {
  const probes = 16;
  let holes = 0;
  for (let probe = 0; probe < probes; probe += 1) {
    if (!(Math.floor((probe * value.length) / probes) in value)) holes += 1;
  }
  return holes > probes / 2;
}
