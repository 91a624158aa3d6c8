/** What a fresh process imports to be a worker: the whole library, for a task may be given an object of any of its classes. */

await import(new URL('../index.js', import.meta.url).href);

export { work } from './work.js';
