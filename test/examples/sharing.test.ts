import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

async function run(name: string): Promise<string[]> {
  const { code, stdout, stderr, facts } = await runScript(
    new URL(`../../examples/sharing/${name}.js`, import.meta.url),
  );
  assert.equal(code, 0, stderr + facts);
  return stdout.trim().split('\n');
}

describe('examples/sharing', () => {
  it('segment: what a child writes is there, and the name gone in the end', async () => {
    assert.deepEqual(await run('segment'), ['1 2 3 4 5 0 0 0 0 0', 'ENOENT']);
  });

  it('exchange: queue, pipe, events, dictionary and list, each in its order', async () => {
    const lines = await run('exchange');
    const numbers = (from: number): number[] => Array.from({ length: 10 }, (_, index) => from + index);
    assert.deepEqual(lines.slice(0, 10).map(Number), numbers(0));
    for (const [name, from] of [
      ['A', 20],
      ['B', 40],
    ] as const) {
      const own = lines.filter((line) => line.startsWith(`${name} process:`));
      assert.deepEqual(
        own,
        numbers(from).map((number) => `${name} process:${number}`),
      );
    }
    assert.match(lines.at(-2) ?? '', /^\{ '(1': 1, '2': 2|2': 2, '1': 1) \}$/);
    assert.equal(lines.at(-1), "[ '2', '2' ]");
  });
});
