/** `node out/examples/python/<program>.js spawn`: the start method comes from the command line. */

import { type StartMethod, setStartMethod } from 'posix-multiprocessing';

/** For the main process, before its first child. Without an argument the default stands. */
export function takeStartMethod(): void {
  const [, , method] = process.argv;
  if (method !== undefined) setStartMethod(method as StartMethod);
}
