/**
 * The bytes of a value: one tag, then what the tag says. Lengths and counts are varints (7 bits a byte, lowest first);
 * text is ASCII or UTF-16; objects are numbered in the order in which they begin, and REFERENCE names an earlier one, so
 * that cycles and shared parts arrive as such. Sender and receiver run the same version of the library.
 */

export const UNDEFINED = 0;
export const NULL = 1;
export const FALSE = 2;
export const TRUE = 3;
/** zigzag varint: a 32-bit integer. */
export const INTEGER = 4;
/** 8 bytes, little-endian. */
export const DOUBLE = 5;
/** Hexadecimal text, perhaps with a '-'. */
export const BIGINT = 6;
/** Byte count, one byte a character. */
export const ASCII = 7;
/** Character count, two bytes a character: lone surrogates survive. */
export const UTF16 = 8;
/** Number of an earlier object. */
export const REFERENCE = 9;
/** In an array: no element here. */
export const HOLE = 10;
/** Count, elements. */
export const ARRAY = 11;
/** Length, count, then key and value of each own property. */
export const SPARSE_ARRAY = 12;
/** Count, then key and value of each own enumerable property. */
export const OBJECT = 13;
/** Count, then key and value of each entry. */
export const MAP = 14;
/** Count, members. */
export const SET = 15;
/** DOUBLE's 8 bytes. */
export const DATE = 16;
/** Source, flags. */
export const REGEXP = 17;
/** The primitive value in an object: `new Number(1)`. */
export const BOXED = 18;
/** Byte count, bytes. */
export const ARRAY_BUFFER = 19;
/** Byte count, maximal byte count, bytes. */
export const RESIZABLE_BUFFER = 20;
/** Byte count, bytes of a Node Buffer. */
export const BUFFER = 21;
/** Index in VIEW_NAMES, byte count, bytes: a view of a part of an ArrayBuffer. */
export const VIEW = 22;
/** Index in VIEW_NAMES, the ArrayBuffer: a view of the whole of it. */
export const WHOLE_VIEW = 23;
/** Class, message, stack, count, then key, enumerability and value of each other own property. */
export const ERROR = 24;
/** Name, message, stack. */
export const DOM_EXCEPTION = 25;
/** Name of the codec, what it packed. */
export const REGISTERED = 26;

/** Index among the descriptors that travel with the message. */
export const DESCRIPTOR = 27;

/** Views by their number in the format. Append only. */
export const VIEW_NAMES: readonly string[] = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array',
];
