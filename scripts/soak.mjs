// npm run soak                           1,000 forks under load on each of Node 20, 22, 24 and 26
// npm run soak -- --forks 10000 --node 24   how many, and where
// A child that hangs leaves its backtrace in out/soak/.
import { parseArgs } from 'node:util';
import { chosenNodes, prepareNode } from './lib/each-node.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

main(() => {
  const { values } = parseArgs({
    options: { forks: { type: 'string', default: '1000' }, node: { type: 'string', multiple: true, default: [] } },
  });
  setup();
  for (const node of chosenNodes(values.node)) {
    const { bin, env } = prepareNode(node);
    run(bin, ['--expose-gc', 'out/test/soak/fork_storm.js', '--forks', values.forks], {
      env: { ...process.env, ...env },
    });
  }
});
