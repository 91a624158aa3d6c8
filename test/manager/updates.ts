/** Functions that a manager's server finds by their module. */

export function half(old: number | undefined): number {
  return (old ?? 0) / 2;
}

/** Makes an object whose methods proxies have. */
export function makeHalver(number: number): { half(): number } {
  return { half: () => number / 2 };
}
