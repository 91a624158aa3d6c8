/** The data: large, slow to make, and only ever read. */

export interface Item {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly tags: readonly string[];
}

export type Items = ReadonlyMap<number, Item>;

/** Stands for what a real server would read from files or a database: objects, of some 300 bytes each in V8's heap. */
export function loadItems(count: number): Items {
  const items = new Map<number, Item>();
  for (let id = 1; id <= count; id += 1) {
    items.set(id, {
      id,
      name: `item ${id}`,
      price: (id * 7919) % 10_000,
      tags: [`group ${id % 97}`, `shelf ${id % 31}`],
    });
  }
  return items;
}
