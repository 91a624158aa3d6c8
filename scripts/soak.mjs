// npm run soak                           1,000 forks under load on each of Node 20, 22, 24 and 26
// npm run soak -- --forks 10000 --node 24   how many, and where
// npm run soak -- --queues 1000          1,000 kills of producers and consumers of queues under load, item by item
// A child that hangs leaves its backtrace in out/soak/.
import { parseArgs } from 'node:util';
import { chosenNodes, prepareNode } from './lib/each-node.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

main(() => {
  const { values } = parseArgs({
    options: {
      forks: { type: 'string', default: '1000' },
      queues: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
    },
  });
  setup();
  const locks = ['--expose-gc', 'out/test/soak/lock_storm.js', '--seconds', values.seconds];
  if (values.locks && values.node.length === 0) {
    run(process.execPath, locks);
    return;
  }
  for (const node of chosenNodes(values.node)) {
    const { bin, env } = prepareNode(node);
    if (values.queues !== undefined) {
      // Two suites share them: a bounded queue and one without bounds.
      const kills = String(Math.ceil(Number(values.queues) / 2));
      const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', './out/test/support/census.js'];
      run(bin, ['--expose-gc', ...mocha, '--grep', 'under SIGKILL', 'out/test/queues/processes.test.js'], {
        env: { ...process.env, ...env, MP_SOAK_KILLS: kills },
      });
      continue;
    }
    run(bin, ['--expose-gc', 'out/test/soak/fork_storm.js', '--forks', values.forks], {
      env: { ...process.env, ...env },
    });
  }
});
