/** Results of a chunk that are not told yet. Numbers are packed as they come, into memory that is used again and again. */

import { FEWEST, isInt32, type Numbers } from './numbers.js';

/** Results that are told at once, at most. */
const MOST = 16_384;

export class Untold {
  readonly #numbers: Float64Array = new Float64Array(MOST);
  #areIntegers = true;
  /** All of them, once one is no number, or where there will be few. */
  #values: unknown[] | undefined;
  #areFew = false;
  length = 0;

  /** Results of so many calls follow. */
  begin(calls: number): void {
    this.#areFew = calls < FEWEST;
    this.#values = this.#areFew ? [] : undefined;
  }

  get isFull(): boolean {
    return this.length === MOST;
  }

  add(value: unknown): void {
    if (typeof value !== 'number' || this.#values !== undefined) {
      this.#values ??= this.#list();
      this.#values.push(value);
    } else {
      if (!isInt32(value)) this.#areIntegers = false;
      this.#numbers[this.length] = value;
    }
    this.length += 1;
  }

  take(): readonly unknown[] | Numbers {
    const taken = this.#values ?? this.#packed();
    this.#values = this.#areFew ? [] : undefined;
    this.#areIntegers = true;
    this.length = 0;
    return taken;
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < this.length; index += 1) list.push(this.#numbers[index]);
    return list;
  }

  #packed(): Numbers {
    const numbers = this.#numbers.subarray(0, this.length);
    return this.#areIntegers ? new Int32Array(numbers) : numbers;
  }
}
