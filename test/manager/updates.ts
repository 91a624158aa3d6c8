/** Functions that a manager's server finds by their module. */

export function half(old: number | undefined): number {
  return (old ?? 0) / 2;
}
