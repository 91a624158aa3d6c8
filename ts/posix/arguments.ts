/** The arguments that many calls of this subpath share, checked before the call. */

import { validateInteger } from '../internal/validate.js';

const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

export function validateDescriptor(value: unknown, name: string = 'fd'): asserts value is number {
  validateInteger(value, name, 0, INT_MAX);
}

/** A C int: a pid with its special negative values, a 32-bit word. */
export function validateInt(value: unknown, name: string): asserts value is number {
  validateInteger(value, name, INT_MIN, INT_MAX);
}

/** A process's id where special values have no meaning; `least` is 0 where that means the caller. */
export function validatePid(value: unknown, name: string, least: 0 | 1): asserts value is number {
  validateInteger(value, name, least, INT_MAX);
}
