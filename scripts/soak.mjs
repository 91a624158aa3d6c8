// npm run soak                           1,000 forks under load on each of Node 20, 22, 24 and 26
// npm run soak -- --forks 10000 --node 24   how many, and where
// npm run soak -- --locks                30 seconds of kills among those who contend for locks, on this Node
// npm run soak -- --locks --seconds 300 --node 24
// A child that hangs leaves its backtrace in out/soak/.
import { parseArgs } from 'node:util';
import { chosenNodes, prepareNode } from './lib/each-node.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

main(() => {
  const { values } = parseArgs({
    options: {
      forks: { type: 'string', default: '1000' },
      locks: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '30' },
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
    run(bin, values.locks ? locks : ['--expose-gc', 'out/test/soak/fork_storm.js', '--forks', values.forks], {
      env: { ...process.env, ...env },
    });
  }
});
