import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';

const { POLLHUP, POLLIN, POLLNVAL, POLLOUT } = posix;

describe('posix poll', () => {
  it('tells which descriptors are ready, and for what', () => {
    const { readEnd, writeEnd } = posix.pipe();
    const all = [
      { fd: readEnd, events: POLLIN },
      { fd: writeEnd, events: POLLOUT },
    ];
    assert.deepEqual(posix.poll(all), [{ fd: writeEnd, events: POLLOUT }]);
    posix.write(writeEnd, Buffer.from('x'));
    assert.deepEqual(posix.poll(all), [
      { fd: readEnd, events: POLLIN },
      { fd: writeEnd, events: POLLOUT },
    ]);
    posix.close(writeEnd);
    assert.deepEqual(posix.poll([{ fd: readEnd, events: 0 }]), [{ fd: readEnd, events: POLLHUP }]);
    posix.close(readEnd);
    assert.deepEqual(posix.poll([{ fd: readEnd, events: POLLIN }]), [{ fd: readEnd, events: POLLNVAL }]);
  });

  it('gives [] when the time is up, not before', () => {
    const [first, second] = posix.socketpair();
    const started = performance.now();
    assert.deepEqual(posix.poll([{ fd: first, events: POLLIN }], { timeout: 50 }), []);
    assert.ok(performance.now() - started >= 49);
    assert.deepEqual(posix.poll([{ fd: first, events: POLLIN }], { timeout: 0 }), []);
    assert.deepEqual(posix.poll([{ fd: first, events: POLLIN }], { timeout: -1 }), []);
    assert.deepEqual(posix.poll([], { timeout: 1 }), []);
    posix.close(first);
    posix.close(second);
  });

  it('refuses wrong arguments', () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    assert.throws(() => posix.poll(1 as unknown as []), type);
    assert.throws(() => posix.poll([null as unknown as posix.PollEvents]), type);
    assert.throws(() => posix.poll([{ fd: 0, events: '1' as unknown as number }]), type);
    assert.throws(() => posix.poll([{ fd: -1, events: POLLIN }]), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => posix.poll([], { timeout: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  });
});
