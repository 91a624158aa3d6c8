// Runs the compiled suite under the other Node versions, all with the same mp.node and each with its own fork addon.
//   node scripts/matrix.mjs             20, 22, 24 and 26
//   node scripts/matrix.mjs 22 26       some of them
//   node scripts/matrix.mjs --others    all but the one that runs this
//   node scripts/matrix.mjs --short [--others | 22 26]    for CI: what rests on Node's and V8's insides
import { chosenNodes, prepareNode } from './lib/each-node.mjs';
import { main } from './lib/run.mjs';
import { runSuite, testFiles } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { setup } from './setup.mjs';

const insides = /^(fork|process|serialization)\/|^posix\/fork\.|^connection\/descriptors\.|^queues\/kept/;

main(async () => {
  const args = process.argv.slice(2);
  const short = args.includes('--short');
  const selection = chosenNodes(args.filter((arg) => arg !== '--short'));
  setup();
  const tally = new Tally();
  for (const node of selection) {
    const title = `the suite under Node ${node.version}`;
    console.log(`\n${title}`);
    await tally.count(title, () => {
      const { bin, env } = prepareNode(node);
      return runSuite({ files: testFiles((file) => !short || insides.test(file)), node: bin, env });
    });
  }
  tally.close();
});
