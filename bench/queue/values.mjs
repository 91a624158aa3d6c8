// What is sent: the same for every contender.
export function payload(kind) {
  if (kind === 'string64') return 'x'.repeat(64);
  if (kind === 'object') return { id: 4711, name: 'a small object', tags: ['red', 'green'] };
  return Buffer.alloc(Number(kind), 7);
}

// Messages of one round.
export function countOf(kind) {
  if (kind === 'string64' || kind === 'object') return 100_000;
  return Math.max(16, Math.min(20_000, Math.floor(2e9 / Number(kind))));
}
