/** Times, counted in classes that grow by a quarter: small, and good to an eighth. */

const PER_OCTAVE = 3;
/** Milliseconds of the first class. */
const FINEST = 0.001;
const CLASSES = 96;

/** Times in milliseconds, each good to an eighth; 0 while there is none. Python: none. */
export interface TimeSummary {
  /** How many there are. */
  readonly count: number;
  /** Their mean, in milliseconds. */
  readonly mean: number;
  /** Half are no longer, in milliseconds. */
  readonly p50: number;
  /** 99 of 100 are no longer, in milliseconds. */
  readonly p99: number;
  /** The longest, in milliseconds. */
  readonly max: number;
}

export class Histogram {
  readonly #counts: Float64Array = new Float64Array(CLASSES);
  #count = 0;
  #sum = 0;
  #max = 0;

  record(milliseconds: number): void {
    const place = Math.ceil(Math.log2(Math.max(milliseconds, FINEST) / FINEST) * PER_OCTAVE);
    const index = Math.min(place, CLASSES - 1);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count += 1;
    this.#sum += milliseconds;
    if (milliseconds > this.#max) this.#max = milliseconds;
  }

  summary(): TimeSummary {
    const mean = this.#count === 0 ? 0 : this.#sum / this.#count;
    return { count: this.#count, mean, p50: this.#percentile(0.5), p99: this.#percentile(0.99), max: this.#max };
  }

  #percentile(part: number): number {
    let left = Math.ceil(part * this.#count);
    if (left === 0) return 0;
    for (let index = 0; index < CLASSES; index += 1) {
      left -= this.#counts[index] as number;
      if (left <= 0) return Math.min(this.#max, FINEST * 2 ** (index / PER_OCTAVE));
    }
    return this.#max;
  }
}
