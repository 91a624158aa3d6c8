/** What a fresh process imports to be a worker. */

export { work } from './work.js';
