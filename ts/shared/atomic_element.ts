/** Atomic operations on one element of shared memory, floats included. */

import { type AnyView, type ElementType, KINDS, validateElement } from './element_types.js';

/** An element's memory: as the type has it, and for floats as the integers of that size. */
export interface ElementView {
  readonly type: ElementType;
  readonly view: AnyView;
  readonly bits: Int32Array | BigInt64Array | undefined;
}

export function viewElements(type: ElementType, buffer: ArrayBuffer, offset: number, length: number): ElementView {
  const { view: View, bits: Bits } = KINDS[type];
  return {
    type,
    view: new View(buffer, offset, length) as AnyView,
    bits: Bits === undefined ? undefined : new Bits(buffer, offset, length),
  };
}

/** Sees what other processes have written last, also in a loop that waits for it. */
export function loadElement({ view, bits }: ElementView, index: number): number | bigint {
  return bits === undefined ? Atomics.load(view as Int32Array, index) : (view[index] as number);
}

export function storeElement({ view }: ElementView, index: number, value: number | bigint): void {
  view[index] = value;
}

/** @throws ERR_OUT_OF_RANGE: the sum is none of the type; nothing has changed. The old value. */
export function addToElement(element: ElementView, index: number, amount: number | bigint): number | bigint {
  const { type, view, bits } = element;
  validateAmount(type, amount);
  if (bits !== undefined) return addToFloat(element, index, amount as number);
  const integers = view as Int32Array;
  for (;;) {
    const old = Atomics.load(integers, index);
    const sum = old + (amount as number);
    const { least, most } = KINDS[type];
    if (sum < least || sum > most) validateElement(type, sum, 'the sum');
    if (Atomics.compareExchange(integers, index, old, sum) === old) return old;
  }
}

/** What is added may be negative where the type is not. */
function validateAmount(type: ElementType, amount: unknown): void {
  if (typeof amount === 'number' && (KINDS[type].bits !== undefined || Number.isInteger(amount))) {
    if (typeof KINDS[type].least === 'number') return;
  }
  if (typeof amount === 'bigint' && typeof KINDS[type].least === 'bigint') return;
  validateElement(type, amount, 'amount');
}

const scratch = new ArrayBuffer(8);
const scratchViews: Readonly<
  Record<'f32' | 'f64', { float: Float32Array | Float64Array; bits: Int32Array | BigInt64Array }>
> = {
  f32: { float: new Float32Array(scratch, 0, 1), bits: new Int32Array(scratch, 0, 1) },
  f64: { float: new Float64Array(scratch, 0, 1), bits: new BigInt64Array(scratch, 0, 1) },
};

/** As integers of the same size: there are no atomic operations on floats. */
type FloatBits = Int32Array;

function addToFloat({ type, bits }: ElementView, index: number, amount: number): number {
  const words = bits as FloatBits;
  const { float, bits: pattern } = scratchViews[type as 'f32' | 'f64'] as { float: Float64Array; bits: FloatBits };
  for (;;) {
    const oldBits = Atomics.load(words, index);
    pattern[0] = oldBits;
    const old = float[0] as number;
    const sum = old + amount;
    validateElement(type, sum, 'the sum');
    float[0] = sum;
    if (Atomics.compareExchange(words, index, oldBits, pattern[0] ?? 0) === oldBits) return old;
  }
}

/** The element becomes `replacement` if it is `expected`; what it was. Floats are compared by their bits: NaN equals itself. */
export function compareExchangeElement(
  { type, view, bits }: ElementView,
  index: number,
  expected: number | bigint,
  replacement: number | bigint,
): number | bigint {
  validateElement(type, expected, 'expected');
  validateElement(type, replacement, 'replacement');
  if (bits === undefined) {
    return Atomics.compareExchange(view as Int32Array, index, expected as number, replacement as number);
  }
  const words = bits as FloatBits;
  const { float, bits: pattern } = scratchViews[type as 'f32' | 'f64'] as { float: Float64Array; bits: FloatBits };
  const bitsOf = (value: number): number => {
    float[0] = value;
    return pattern[0] as number;
  };
  pattern[0] = Atomics.compareExchange(words, index, bitsOf(expected as number), bitsOf(replacement as number));
  return float[0] as number;
}
