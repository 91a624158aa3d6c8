import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

/** A process that has forked, and ends while V8's threads mark, sweep and compile for it. */
const busy = (end: string): string => `
  import { Process } from 'posix-multiprocessing';
  const child = await new Process({ target() {} }).start();
  await child.join();
  const kept = [];
  const churn = () => {
    for (let round = 0; round < 30; round++) {
      kept.push(Array.from({ length: 20_000 }, (_, index) => ({ index, text: 'item ' + index })));
      const hot = new Function('n', 'let s = ' + round + '; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;');
      for (let call = 0; call < 200; call++) hot(2_000);
    }
  };
  churn();
  ${end}
`;

describe('a process that has forked', function () {
  this.timeout(120_000);
  const ways: [string, string, number][] = [
    ['process.exit()', 'process.exit(3);', 3],
    ['its natural end', 'process.exitCode = 4;', 4],
    ['an uncaught error', "throw new Error('on purpose');", 1],
  ];
  for (const [way, end, expected] of ways) {
    it(`ends as it should while V8's threads are at work: ${way}`, async () => {
      for (let round = 0; round < 8; round++) {
        const { code, signal, stderr, facts } = await runScript(busy(end));
        assert.deepEqual([code, signal], [expected, null], stderr + facts);
      }
    });
    it(`uses nothing then that was freed: ${way}`, async () => {
      // mallopt(3), M_PERTURB: what is freed gets another content at once.
      const { code, signal, stderr, facts } = await runScript(busy(end), { env: { MALLOC_PERTURB_: '165' } });
      assert.deepEqual([code, signal], [expected, null], stderr + facts);
    });
  }
});
