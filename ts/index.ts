/** The public surface of `posix-multiprocessing`. */

export * from './api.js';
export { type Context, getContext } from './context.js';
