import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';
import { AdoptedChild, adoptOrphans } from './adopted_child.js';

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

type Wait = (options?: number) => posix.WaitResult | undefined;

/** The same child's end, waited for by its pid and by a pidfd. */
const ways: Record<string, (pid: number, body: (wait: Wait) => void) => void> = {
  waitpid: (pid, body) => body((options) => posix.waitpid(pid, options)),
  waitidPidfd: (pid, body) => {
    const pidfd = posix.pidfdOpen(pid);
    try {
      body((options) => posix.waitidPidfd(pidfd, options));
    } finally {
      posix.close(pidfd);
    }
  },
};

for (const [name, withWait] of Object.entries(ways)) {
  describe(`posix ${name}`, () => {
    adoptOrphans();

    it('returns the exit code of a child that ends by itself', () => {
      using child = new AdoptedChild('exit 7');
      withWait(child.pid, (wait) => {
        assert.deepEqual(wait(), { pid: child.pid, exitCode: 7, signal: undefined });
      });
    });

    it('returns the name of the signal that killed a child', () => {
      using child = new AdoptedChild('kill -KILL $$');
      withWait(child.pid, (wait) => {
        assert.deepEqual(wait(), { pid: child.pid, exitCode: undefined, signal: 'SIGKILL' });
      });
    });

    it('prefers the usual names of signals that have several', () => {
      for (const signal of ['SIGABRT', 'SIGIO']) {
        using child = new AdoptedChild('exec sleep 1000');
        withWait(child.pid, (wait) => {
          posix.kill(child.pid, signal);
          assert.equal(wait()?.signal, signal);
        });
      }
    });

    it('with WNOHANG returns undefined while the child runs', () => {
      using child = new AdoptedChild('exec sleep 1000');
      withWait(child.pid, (wait) => {
        assert.equal(wait(posix.WNOHANG), undefined);
        posix.kill(child.pid, 'SIGTERM');
        assert.equal(wait()?.signal, 'SIGTERM');
      });
    });

    it('with WUNTRACED and WCONTINUED tells stopping and going on from ending', () => {
      using child = new AdoptedChild('kill -STOP $$; exec sleep 1000');
      const { pid } = child;
      withWait(pid, (wait) => {
        assert.deepEqual(wait(posix.WUNTRACED), { pid, exitCode: undefined, signal: 'SIGSTOP', stopped: true });
        posix.kill(pid, 'SIGCONT');
        assert.deepEqual(wait(posix.WCONTINUED), { pid, exitCode: undefined, signal: 'SIGCONT', continued: true });
      });
    });

    it('throws ECHILD in the shape of Node when the child has been reaped', () => {
      using child = new AdoptedChild('exit 0');
      withWait(child.pid, (wait) => {
        wait();
        assert.throws(() => wait(), { code: 'ECHILD', errno: -10, syscall: name === 'waitpid' ? 'waitpid' : 'waitid' });
      });
    });
  });
}

describe('posix waitpid, arguments', () => {
  it('refuses what is no pid and no option', () => {
    assert.throws(() => posix.waitpid('1' as never), wrongType);
    assert.throws(() => posix.waitpid(1.5), outOfRange);
    assert.throws(() => posix.waitpid(2 ** 31), outOfRange);
    assert.throws(() => posix.waitpid(1, 'WNOHANG' as never), wrongType);
    for (const options of [-1, posix.WEXITED, posix.WNOWAIT, 2 ** 32 + 1, 0.5]) {
      assert.throws(() => posix.waitpid(1, options), outOfRange);
    }
  });
});

describe('posix waitidPidfd, options', () => {
  adoptOrphans();

  it('with WNOWAIT leaves the child waitable', () => {
    using child = new AdoptedChild('exit 3');
    const pidfd = posix.pidfdOpen(child.pid);
    const expected = { pid: child.pid, exitCode: 3, signal: undefined };
    assert.deepEqual(posix.waitidPidfd(pidfd, posix.WNOWAIT), expected);
    assert.deepEqual(posix.waitidPidfd(pidfd), expected);
    posix.close(pidfd);
  });

  it('refuses what is no descriptor and no option', () => {
    assert.throws(() => posix.waitidPidfd(undefined as never), wrongType);
    assert.throws(() => posix.waitidPidfd(-1), outOfRange);
    assert.throws(() => posix.waitidPidfd(0, 16), outOfRange);
    assert.throws(() => posix.waitidPidfd(0, '4' as never), wrongType);
  });

  it('throws EBADF for a descriptor that is no pidfd', () => {
    const { readEnd, writeEnd } = posix.pipe();
    assert.throws(() => posix.waitidPidfd(readEnd), { code: 'EBADF', errno: -9, syscall: 'waitid' });
    posix.close(readEnd);
    posix.close(writeEnd);
  });
});

describe('posix pidfd', () => {
  adoptOrphans();

  it('pidfdOpen returns a descriptor that polls readable when the process has ended', () => {
    using child = new AdoptedChild('exec sleep 1000');
    const pidfd = posix.pidfdOpen(child.pid);
    assert.ok(fstatSync(pidfd));
    posix.pidfdSendSignal(pidfd, 0);
    assert.equal(posix.waitidPidfd(pidfd, posix.WNOHANG), undefined);
    posix.pidfdSendSignal(pidfd, 'SIGTERM');
    assert.equal(posix.waitpid(child.pid)?.signal, 'SIGTERM');
    assert.throws(() => posix.pidfdSendSignal(pidfd, 9), { code: 'ESRCH', errno: -3, syscall: 'pidfd_send_signal' });
    posix.close(pidfd);
    assert.throws(() => posix.pidfdOpen(child.pid), { code: 'ESRCH', errno: -3, syscall: 'pidfd_open' });
  });

  it('refuses wrong pids, descriptors and signals', () => {
    assert.throws(() => posix.pidfdOpen('1' as never), wrongType);
    assert.throws(() => posix.pidfdOpen(0), outOfRange);
    assert.throws(() => posix.pidfdSendSignal(-1, 0), outOfRange);
    assert.throws(() => posix.pidfdSendSignal(0, 'SIGNONE'), { name: 'TypeError', code: 'ERR_UNKNOWN_SIGNAL' });
    assert.throws(() => posix.pidfdSendSignal(0, {} as never), wrongType);
  });
});
