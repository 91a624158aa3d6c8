import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as posix from 'posix-multiprocessing/posix';

describe('posix constants', () => {
  it('are frozen numbers, each an export of its own too', () => {
    assert.ok(Object.isFrozen(posix.constants));
    const exported: Record<string, unknown> = { ...posix };
    for (const [name, value] of Object.entries(posix.constants)) {
      assert.equal(typeof value, 'number', name);
      assert.equal(exported[name], value, name);
    }
  });
});
