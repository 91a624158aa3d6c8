/** fork(2): 0 in the child, the child's pid in the parent. */

import { fork, waitpid } from 'posix-multiprocessing/posix';

const pid = fork();
if (pid === 0) {
  console.log(`child:${process.pid} parent:${process.ppid}`);
} else {
  console.log(`parent:${process.pid} child:${pid}`);
  waitpid(pid);
}
