/** Types of files by extension, numbered, so that their totals fit into a table in shared memory. */

/** Rows of such a table. Types that come too late share a number. */
export const MAX_TYPES = 256;

const NONE = 0;
const OTHER = 1;

/** What looks like an extension: at the end of a name, not all of it, short, of letters and digits. */
const EXTENSION = /[^/](\.[\w+~-]{1,12})$/;

export class FileTypes {
  readonly #names = ['(none)', '(other)'];
  readonly #numbers = new Map<string, number>();

  numberOf(path: Buffer): number {
    const extension = EXTENSION.exec(path.toString('latin1', Math.max(0, path.length - 16)))?.[1]?.toLowerCase();
    if (extension === undefined) return NONE;
    const known = this.#numbers.get(extension);
    if (known !== undefined) return known;
    if (this.#names.length === MAX_TYPES) return OTHER;
    this.#numbers.set(extension, this.#names.length);
    return this.#names.push(extension) - 1;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? '(other)';
  }
}
