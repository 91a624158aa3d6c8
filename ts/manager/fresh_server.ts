/** What a fresh process imports to be a manager's server: proxies too, which travel. */

export * from './proxies.js';
export { runServer } from './server.js';
