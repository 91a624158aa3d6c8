/** What got no line in the manifest, and why. */

/** So many are named; the others are only counted. */
const NAMED = 20;

export interface Omission {
  path: Buffer;
  reason: string;
}

export class Omissions {
  readonly named: Omission[] = [];
  readonly countByReason = new Map<string, number>();
  count = 0;
  /** Those that should have got one: unreadable or vanished, as against links, sockets and so on. */
  failed = 0;

  add(path: Buffer, reason: string, failed: boolean): void {
    this.count += 1;
    if (failed) this.failed += 1;
    this.countByReason.set(reason, (this.countByReason.get(reason) ?? 0) + 1);
    if (this.named.length < NAMED) this.named.push({ path, reason });
  }
}
