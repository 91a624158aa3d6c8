/** What node itself was started with, on its command line and by NODE_OPTIONS; with hyphens, as documented. */
export function nodeFlags(): string {
  return [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
}
