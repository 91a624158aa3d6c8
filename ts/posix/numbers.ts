/**
 * The kernel's numbers that the calls of this subpath take, one export each, grouped by call; `constants` collects
 * them. Linux's values, the same on x64 and arm64. Signals and open(2) flags are Node's: `os.constants.signals`,
 * `fs.constants`.
 */

/** waitpid, waitidPidfd: return at once when no child has changed. Python: os.WNOHANG. waitpid(2) */
export const WNOHANG = 1;
/** waitpid, waitidPidfd: report stopped children too. Python: os.WUNTRACED. waitpid(2) */
export const WUNTRACED = 2;
/** waitidPidfd: report ended children; implied when nothing else is asked for. Python: os.WEXITED. waitid(2) */
export const WEXITED = 4;
/** waitpid, waitidPidfd: report children that SIGCONT has resumed. Python: os.WCONTINUED. waitpid(2) */
export const WCONTINUED = 8;
/** waitidPidfd: leave the child waitable. Python: os.WNOWAIT. waitid(2) */
export const WNOWAIT = 0x0100_0000;

/** flock: shared lock. Python: fcntl.LOCK_SH. flock(2) */
export const LOCK_SH = 1;
/** flock: exclusive lock. Python: fcntl.LOCK_EX. flock(2) */
export const LOCK_EX = 2;
/** flock: do not wait. Python: fcntl.LOCK_NB. flock(2) */
export const LOCK_NB = 4;
/** flock: remove the lock. Python: fcntl.LOCK_UN. flock(2) */
export const LOCK_UN = 8;

/** prctl: set the signal sent when the parent ends. Python: none. PR_SET_PDEATHSIG(2const) */
export const PR_SET_PDEATHSIG = 1;
/** prctl: the signal sent when the parent ends. Python: none. PR_GET_PDEATHSIG(2const) */
export const PR_GET_PDEATHSIG = 2;
/** prctl: whether the process can be dumped and traced. Python: none. PR_GET_DUMPABLE(2const) */
export const PR_GET_DUMPABLE = 3;
/** prctl: set whether the process can be dumped and traced. Python: none. PR_SET_DUMPABLE(2const) */
export const PR_SET_DUMPABLE = 4;
/** prctl: name the calling thread. Python: none. PR_SET_NAME(2const) */
export const PR_SET_NAME = 15;
/** prctl: the calling thread's name. Python: none. PR_GET_NAME(2const) */
export const PR_GET_NAME = 16;
/** prctl: set the calling thread's timer slack in nanoseconds. Python: none. PR_SET_TIMERSLACK(2const) */
export const PR_SET_TIMERSLACK = 29;
/** prctl: the calling thread's timer slack in nanoseconds. Python: none. PR_GET_TIMERSLACK(2const) */
export const PR_GET_TIMERSLACK = 30;
/** prctl: adopt orphaned descendants, or stop doing so. Python: none. PR_SET_CHILD_SUBREAPER(2const) */
export const PR_SET_CHILD_SUBREAPER = 36;
/** prctl: whether the process adopts orphaned descendants. Python: none. PR_GET_CHILD_SUBREAPER(2const) */
export const PR_GET_CHILD_SUBREAPER = 37;
/** prctl: give up gaining privileges by execve, for good. Python: none. PR_SET_NO_NEW_PRIVS(2const) */
export const PR_SET_NO_NEW_PRIVS = 38;
/** prctl: whether execve can gain privileges no more. Python: none. PR_GET_NO_NEW_PRIVS(2const) */
export const PR_GET_NO_NEW_PRIVS = 39;
/** prctl: turn transparent huge pages off or on. Python: none. PR_SET_THP_DISABLE(2const) */
export const PR_SET_THP_DISABLE = 41;
/** prctl: whether transparent huge pages are off. Python: none. PR_GET_THP_DISABLE(2const) */
export const PR_GET_THP_DISABLE = 42;

/** getpriority, setpriority: `who` is a process id. Python: os.PRIO_PROCESS. getpriority(2) */
export const PRIO_PROCESS = 0;
/** getpriority, setpriority: `who` is a process group. Python: os.PRIO_PGRP. getpriority(2) */
export const PRIO_PGRP = 1;
/** getpriority, setpriority: `who` is a user id. Python: os.PRIO_USER. getpriority(2) */
export const PRIO_USER = 2;

/** getrlimit, setrlimit: seconds of processor time. Python: resource.RLIMIT_CPU. getrlimit(2) */
export const RLIMIT_CPU = 0;
/** getrlimit, setrlimit: bytes of a file that the process may create. Python: resource.RLIMIT_FSIZE. getrlimit(2) */
export const RLIMIT_FSIZE = 1;
/** getrlimit, setrlimit: bytes of the data segment. Python: resource.RLIMIT_DATA. getrlimit(2) */
export const RLIMIT_DATA = 2;
/** getrlimit, setrlimit: bytes of the main thread's stack. Python: resource.RLIMIT_STACK. getrlimit(2) */
export const RLIMIT_STACK = 3;
/** getrlimit, setrlimit: bytes of a core dump. Python: resource.RLIMIT_CORE. getrlimit(2) */
export const RLIMIT_CORE = 4;
/** getrlimit, setrlimit: bytes of resident memory; without effect. Python: resource.RLIMIT_RSS. getrlimit(2) */
export const RLIMIT_RSS = 5;
/** getrlimit, setrlimit: processes and threads of the user. Python: resource.RLIMIT_NPROC. getrlimit(2) */
export const RLIMIT_NPROC = 6;
/** getrlimit, setrlimit: descriptors, as one more than the highest. Python: resource.RLIMIT_NOFILE. getrlimit(2) */
export const RLIMIT_NOFILE = 7;
/** getrlimit, setrlimit: bytes locked into memory. Python: resource.RLIMIT_MEMLOCK. getrlimit(2) */
export const RLIMIT_MEMLOCK = 8;
/** getrlimit, setrlimit: bytes of address space. Python: resource.RLIMIT_AS. getrlimit(2) */
export const RLIMIT_AS = 9;
/** getrlimit, setrlimit: file locks; without effect. Python: none. getrlimit(2) */
export const RLIMIT_LOCKS = 10;
/** getrlimit, setrlimit: signals queued for the user. Python: resource.RLIMIT_SIGPENDING. getrlimit(2) */
export const RLIMIT_SIGPENDING = 11;
/** getrlimit, setrlimit: bytes in POSIX message queues of the user. Python: resource.RLIMIT_MSGQUEUE. getrlimit(2) */
export const RLIMIT_MSGQUEUE = 12;
/** getrlimit, setrlimit: ceiling of the nice value, as 20 - nice. Python: resource.RLIMIT_NICE. getrlimit(2) */
export const RLIMIT_NICE = 13;
/** getrlimit, setrlimit: ceiling of the real-time priority. Python: resource.RLIMIT_RTPRIO. getrlimit(2) */
export const RLIMIT_RTPRIO = 14;
/**
 * getrlimit, setrlimit: microseconds of real-time processor time between blocking calls. Python: resource.RLIMIT_RTTIME.
 * getrlimit(2)
 */
export const RLIMIT_RTTIME = 15;

/** poll: there is data to read, or the end of the file. Python: select.POLLIN. poll(2) */
export const POLLIN = 0x001;
/** poll: there is urgent data to read. Python: select.POLLPRI. poll(2) */
export const POLLPRI = 0x002;
/** poll: a write would not wait. Python: select.POLLOUT. poll(2) */
export const POLLOUT = 0x004;
/** poll, told only: an error; on a pipe's write end that nobody reads any more. Python: select.POLLERR. poll(2) */
export const POLLERR = 0x008;
/** poll, told only: the peer has closed. Python: select.POLLHUP. poll(2) */
export const POLLHUP = 0x010;
/** poll, told only: the descriptor is not open. Python: select.POLLNVAL. poll(2) */
export const POLLNVAL = 0x020;
/** poll: the peer of a stream socket has closed, or will write no more. Python: select.POLLRDHUP. poll(2) */
export const POLLRDHUP = 0x2000;

/** eventfd: each read takes one instead of all. Python: os.EFD_SEMAPHORE. eventfd(2) */
export const EFD_SEMAPHORE = 1;
/** eventfd: reads and writes don't wait. Python: os.EFD_NONBLOCK. eventfd(2) */
export const EFD_NONBLOCK = 0x800;
