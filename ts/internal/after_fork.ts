/**
 * What the library's own modules reset in a forked child: watchers of the parent, tables of its children. Users have
 * onFork(); this registry runs before their hooks, in the order of registration.
 */

/** 'fresh': a Process of the library's, nothing of the parent's runs in it. 'raw': posix.fork(), all goes on in both. */
export type ForkKind = 'fresh' | 'raw';

const resets: ((kind: ForkKind) => void)[] = [];

/** Registers code that every forked child runs first, on the state it inherited. */
export function inChildAfterFork(reset: (kind: ForkKind) => void): void {
  resets.push(reset);
}

/** Runs them; called once in each child. */
export function resetLibraryState(kind: ForkKind): void {
  for (const reset of resets) reset(kind);
}
