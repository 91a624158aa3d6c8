/**
 * State of the library's modules that belongs to one process: a forked child goes on with a value of its own. Users have
 * onFork(); these are renewed before their hooks run, in the order in which they were made.
 */

/** 'fresh': a Process of the library's, nothing of the parent's runs in it. 'raw': posix.fork(), all goes on in both. */
export type ForkKind = 'fresh' | 'raw';

type Renewal<T> = (inherited: T, kind: ForkKind) => T;

export class PerProcess<T> {
  value: T;
  readonly #make: () => T;
  readonly #renewal: Renewal<T>;

  constructor(make: () => T, renewal: Renewal<T>) {
    this.#make = make;
    this.#renewal = renewal;
    this.value = make();
  }

  renew(kind: ForkKind): void {
    this.value = this.#renewal(this.value, kind);
  }

  /** One of the same kind, to rehearse with. */
  double(): PerProcess<T> {
    return new PerProcess(this.#make, this.#renewal);
  }
}

const cells: PerProcess<unknown>[] = [];

/** `renewal` makes the child's value of what it inherited, and gives up what only the parent may go on with. */
export function perProcess<T>(make: () => T, renewal: Renewal<T> = () => make()): PerProcess<T> {
  const cell = new PerProcess(make, renewal);
  cells.push(cell as PerProcess<unknown>);
  return cell;
}

/** Called once in each child. */
export function renewLibraryState(kind: ForkKind, all: readonly PerProcess<unknown>[] = cells): void {
  for (const cell of all) cell.renew(kind);
}

/** In the parent: every renewal once, on a value that nobody uses. */
export function rehearseRenewal(kind: ForkKind): void {
  renewLibraryState(
    kind,
    cells.map((cell) => cell.double()),
  );
}
