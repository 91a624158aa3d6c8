/** The numbers that shared values and arrays are made of. */

import { inspect } from 'node:util';
import { invalidArgType, invalidArgValue, outOfRange } from '../internal/validate.js';

/** Each type of elements with the array of them. Python: the type codes of `array`, of ctypes. */
export interface TypedArrays {
  /** Python: `b` */
  i8: Int8Array;
  /** Python: `B` */
  u8: Uint8Array;
  /** Python: `h` */
  i16: Int16Array;
  /** Python: `H` */
  u16: Uint16Array;
  /** Python: `i` */
  i32: Int32Array;
  /** Python: `I` */
  u32: Uint32Array;
  /** Python: `q` */
  i64: BigInt64Array;
  /** Python: `Q` */
  u64: BigUint64Array;
  /** Python: `f` */
  f32: Float32Array;
  /** Python: `d` */
  f64: Float64Array;
}

/** i and u are integers with and without a sign, f is floating point; then the bits. Python: `typecode`. */
export type ElementType = keyof TypedArrays;

/** bigint for the 64-bit integers, number for all others. */
export type Element<K extends ElementType> = K extends 'i64' | 'u64' ? bigint : number;

/** A typed array of any kind, seen as one of numbers: the table below says what it really takes. */
export type AnyView = { [index: number]: number | bigint; readonly length: number };

interface Kind {
  readonly bytes: number;
  readonly view: new (buffer: ArrayBuffer, offset: number, length: number) => unknown;
  /** For floats: the integers of that size, which atomic operations work on. */
  readonly bits?: new (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => Int32Array | BigInt64Array;
  /** The smallest and the largest; for floats the largest finite one. */
  readonly least: number | bigint;
  readonly most: number | bigint;
}

const LARGEST_F32 = 3.4028234663852886e38;

export const KINDS: Readonly<Record<ElementType, Kind>> = {
  i8: { bytes: 1, view: Int8Array, least: -128, most: 127 },
  u8: { bytes: 1, view: Uint8Array, least: 0, most: 255 },
  i16: { bytes: 2, view: Int16Array, least: -(2 ** 15), most: 2 ** 15 - 1 },
  u16: { bytes: 2, view: Uint16Array, least: 0, most: 2 ** 16 - 1 },
  i32: { bytes: 4, view: Int32Array, least: -(2 ** 31), most: 2 ** 31 - 1 },
  u32: { bytes: 4, view: Uint32Array, least: 0, most: 2 ** 32 - 1 },
  i64: { bytes: 8, view: BigInt64Array, least: -(2n ** 63n), most: 2n ** 63n - 1n },
  u64: { bytes: 8, view: BigUint64Array, least: 0n, most: 2n ** 64n - 1n },
  f32: { bytes: 4, view: Float32Array, bits: Int32Array, least: -LARGEST_F32, most: LARGEST_F32 },
  f64: { bytes: 8, view: Float64Array, bits: BigInt64Array, least: -Number.MAX_VALUE, most: Number.MAX_VALUE },
};

export function validateElementType(type: unknown): asserts type is ElementType {
  if (typeof type !== 'string') throw invalidArgType('type', 'of type string', type);
  if (!Object.hasOwn(KINDS, type)) {
    throw invalidArgValue('type', `must be one of ${Object.keys(KINDS).join(', ')}`, type);
  }
}

/** A number that the type can hold; floats may be rounded, but not to infinity. */
export function validateElement(type: ElementType, value: unknown, name: string): void {
  const { least, most, bits } = KINDS[type];
  if (typeof value !== typeof least) throw invalidArgType(name, `of type ${typeof least}`, value);
  const number = value as number | bigint;
  if (bits !== undefined) {
    if (Number.isFinite(number) && (number < least || number > most)) throw outOfRange(name, `a finite ${type}`, value);
    return;
  }
  if (typeof number === 'number' && !Number.isInteger(number)) throw outOfRange(name, 'an integer', value);
  if (number < least || number > most) throw outOfRange(name, `>= ${inspect(least)} && <= ${inspect(most)}`, value);
}
