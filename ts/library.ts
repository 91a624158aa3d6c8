/**
 * All of the library, for scripts/bundle.mjs: it becomes the one file that every entry takes its exports from, so that a
 * process has each module once, and a fresh one has them all in a tenth of the time that a file each takes.
 */

export * as cli from './cli.js';
export * as index from './index.js';
export * as internals from './internals.js';
export * as fresh_server from './manager/fresh_server.js';
export * as fresh_worker from './pool/fresh_worker.js';
export * as posix from './posix.js';
export * as fork_server_main from './process/fork_server_main.js';
export * as fresh_main from './process/fresh_main.js';
