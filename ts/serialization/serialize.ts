/** Values to bytes: structured clone's rules, with Buffers, whole errors, and a path in the refusal. */

import { types } from 'node:util';
import { SerializationError } from '../errors.js';
import { ByteWriter } from './byte_writer.js';
import { nearestErrorClass } from './error_classes.js';
import * as tag from './format.js';
import { CannotTravel, codecOf } from './registry.js';
import { pathText, type Step } from './value_path.js';

/** Above this length the named properties of an array (a match's `index`) are not looked for: it would cost more than all else. */
const NAMED_PROPERTIES_UP_TO = 1024;

/**
 * The bytes of a value, in parts to be joined. What structured clone carries travels by value, and so do Buffers and the
 * own properties of errors; a class's instance arrives as its own enumerable properties. Large binary parts are the
 * caller's own memory: use or copy them before anything else runs. Doesn't block.
 *
 * `root` is what the refusal calls the value. Python: `pickle.dumps`.
 * @throws ERR_MP_SERIALIZE with the path to what can't travel: 'args[0].handler.onClick is a function'.
 */
export function serialize(value: unknown, root: string = 'value'): Uint8Array[] {
  const encoder = new Encoder(root);
  try {
    encoder.write(value);
  } catch (error) {
    if (!(error instanceof RangeError) || !/call stack/.test(error.message)) throw error;
    throw new SerializationError(`${root} is nested too deeply`, { cause: error });
  }
  return encoder.out.finish();
}

class Encoder {
  readonly out: ByteWriter = new ByteWriter();
  readonly #seen: Map<object, number> = new Map();
  readonly #path: Step[];

  constructor(root: string) {
    this.#path = [root];
  }

  /** A value that is the property, element or entry `step` of the one being written. */
  #part(value: unknown, step: Step): void {
    this.#path.push(step);
    this.write(value);
    this.#path.pop();
  }

  #refuse(what: string): never {
    throw new SerializationError(`${pathText(this.#path)} ${what}`);
  }

  write(value: unknown): void {
    const { out } = this;
    switch (typeof value) {
      case 'string':
        out.text(value, tag.ASCII, tag.UTF16);
        return;
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        out.byte(value ? tag.TRUE : tag.FALSE);
        return;
      case 'undefined':
        out.byte(tag.UNDEFINED);
        return;
      case 'bigint':
        out.byte(tag.BIGINT);
        out.text(value.toString(16), tag.ASCII, tag.UTF16);
        return;
      case 'object':
        if (value === null) out.byte(tag.NULL);
        else this.#object(value);
        return;
      default:
        this.#refuse(`is a ${typeof value}`);
    }
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.out.byte(tag.INTEGER);
      this.out.zigzag(value);
    } else {
      this.out.byte(tag.DOUBLE);
      this.out.double(value);
    }
  }

  #object(value: object): void {
    const earlier = this.#seen.get(value);
    if (earlier !== undefined) {
      this.out.byte(tag.REFERENCE);
      this.out.varint(earlier);
      return;
    }
    this.#seen.set(value, this.#seen.size);
    if (Array.isArray(value)) return this.#array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#properties(value);
    if (ArrayBuffer.isView(value)) return this.#view(value);
    this.#instance(value);
  }

  #instance(value: object): void {
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
    const keys = value.length <= NAMED_PROPERTIES_UP_TO ? Object.keys(value) : undefined;
    if (keys === undefined ? isMostlyHoles(value) : !areAllIndexes(keys, value.length)) {
      this.out.byte(tag.SPARSE_ARRAY);
      this.out.varint(value.length);
      this.#entries(value, keys ?? Object.keys(value));
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
    const whole = value.byteLength === value.buffer.byteLength;
    if (whole || types.isSharedArrayBuffer(value.buffer)) {
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
    this.out.raw(value);
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
    this.write(packed);
  }
}

/** Keys come with the indexes first, in their order. */
function areAllIndexes(keys: readonly string[], length: number): boolean {
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1));
}

/** A guess: whether listing the elements there are takes less than one tag for each that is missing. */
function isMostlyHoles(value: readonly unknown[]): boolean {
  const probes = 16;
  let holes = 0;
  for (let probe = 0; probe < probes; probe += 1) {
    if (!(Math.floor((probe * value.length) / probes) in value)) holes += 1;
  }
  return holes > probes / 2;
}
