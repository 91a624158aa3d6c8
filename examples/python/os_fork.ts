/** fork(2) itself: it returns twice, and what was printed before is not printed twice. */

import { fork, waitpid } from 'posix-multiprocessing/posix';

console.log(`Process (${process.pid}) start...`);
const pid = fork();
if (pid === 0) {
  console.log(`I am child process (${process.pid}) and my parent is ${process.ppid}.`);
} else {
  console.log(`I (${process.pid}) just created a child process (${pid}).`);
  waitpid(pid);
}
