import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runScript } from '../support/run_script.js';

describe('forks under load (npm run soak is the long form)', () => {
  it('all end as they should while parent and children compile and collect', async function () {
    this.timeout(150_000);
    const { code, stdout, stderr, facts } = await runScript(new URL('../soak/fork_storm.js', import.meta.url), {
      args: ['--forks', '60'],
      nodeFlags: ['--expose-gc'],
      timeout: 120_000,
    });
    assert.equal(code, 0, `${stdout}${stderr}${facts}`);
    assert.match(stdout, /: 60 forks in \d+ s, 0 failures;/);
  });
});
