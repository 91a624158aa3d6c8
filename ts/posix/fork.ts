/** fork(2) in its raw form. */

import { forkRaw } from '../fork/launch.js';
import { native } from '../native/load.js';

/**
 * Copies this process: 0 in the child, the child's pid in the parent, and both go on from this very line, promises,
 * timers, sockets and all, as Unix has it. Connections are then shared by both: most programs want `Process`, whose
 * children begin with nothing of the parent's. Blocks for the fork and until V8's background threads are at rest, some
 * milliseconds. The caller waits for the child: `waitpid()`.
 *
 * Python: os.fork. fork(2)
 * @throws ERR_MP_START_METHOD where fork can't work: in a Worker, with a Worker alive, … (forkSupport() says why);
 * EAGAIN; ENOMEM; EMFILE.
 */
export function fork(): number {
  const { pid, pidfd } = forkRaw();
  if (pid !== 0) native.closeFd(pidfd);
  return pid;
}
