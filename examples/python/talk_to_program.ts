/** Python's Popen(…, stdin=PIPE, stdout=PIPE).communicate(): node:child_process in Node. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

console.log('$ sort');
const program = spawn('sort', { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, LC_ALL: 'C' } });
const ended = once(program, 'close');
program.stdin.end('pear\napple\norange\n');
console.log((await text(program.stdout)).trimEnd());
const [code] = await ended;
console.log(`Exit code: ${code}`);
