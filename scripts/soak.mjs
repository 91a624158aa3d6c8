// The claims that need counts, on each of Node 20, 22, 24 and 26, or on those that --node names:
//   npm run soak [-- --forks 10000]       forks under load, with kills (1,000); --seed repeats what was drawn
//   npm run soak -- --locks               kills among those who contend for locks, for --seconds (30)
//   npm run soak -- --shared              kills of trees that make, open and remove shared memory, for --seconds
//   npm run soak -- --queues              kills of producers and consumers of queues, item by item: --kills (1,000)
//   npm run soak -- --pipes               the same of processes that share the ends of pipes
//   npm run soak -- --pool                kills of a pool's workers under every kind of call, for --seconds
//   npm run soak -- --alive 500            so many children at once by each start method, or what the free memory carries
//   npm run soak -- --node 24 --node 26
// A child that hangs leaves its backtrace in out/soak/.
import { parseArgs } from 'node:util';
import { chosenNodes, prepareNode } from './lib/each-node.mjs';
import { main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const options = {
  forks: { type: 'string', default: '1000' },
  seed: { type: 'string' },
  locks: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '30' },
  shared: { type: 'boolean', default: false },
  pool: { type: 'boolean', default: false },
  queues: { type: 'boolean', default: false },
  pipes: { type: 'boolean', default: false },
  kills: { type: 'string', default: '1000' },
  alive: { type: 'string' },
  node: { type: 'string', multiple: true, default: [] },
};

/** What node is to run, and with what in its environment. */
function storm({ forks, seed, locks, shared, seconds, pool, queues, pipes, kills, alive }) {
  if (alive) return { args: ['out/test/soak/alive_together.js', '--alive', alive] };
  if (locks) return { args: ['out/test/soak/lock_storm.js', '--seconds', seconds] };
  if (shared) return { args: ['out/test/soak/shared_kills.js', '--seconds', seconds] };
  if (pool) return { args: ['out/test/soak/pool_kills.js', '--seconds', seconds] };
  if (!queues && !pipes) {
    const repeated = seed === undefined ? [] : ['--seed', seed];
    return { args: ['out/test/soak/fork_storm.js', '--forks', forks, ...repeated] };
  }
  const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', './out/test/support/census.js'];
  return {
    args: [...mocha, '--grep', 'under SIGKILL', `out/test/${pipes ? 'connection/kills' : 'queues/processes'}.test.js`],
    // Two tests share them: a bounded queue and one without bounds, a duplex pipe and one with one direction.
    env: { MP_SOAK_KILLS: String(Math.ceil(Number(kills) / 2)) },
  };
}

main(() => {
  const { values } = parseArgs({ options });
  setup();
  const { args, env: wanted } = storm(values);
  for (const node of chosenNodes(values.node)) {
    const { bin, env } = prepareNode(node);
    run(bin, ['--expose-gc', ...args], { env: { ...process.env, ...env, ...wanted } });
  }
});
