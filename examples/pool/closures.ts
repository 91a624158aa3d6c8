/**
 * A table that is built once is looked up in parallel: the workers have it, nothing of it is sent.
 *   node out/examples/pool/closures.js
 */

import { Pool } from 'posix-multiprocessing';

const squares = new Map(Array.from({ length: 100_000 }, (_, index) => [index, index ** 2]));
const numbers = Array.from({ length: 1_000 }, (_, index) => index * 100);

await using pool = new Pool();
const found = await pool.map((number) => squares.get(number) ?? 0, numbers);
console.log(found.reduce((sum, square) => sum + square, 0));
