// Packs the package and uses it as its users would: test/packaging, under each Node that it is built for.
import { realpathSync } from 'node:fs';
import { ensureNode, nodes } from './lib/nodes.mjs';
import { Failure, main, which } from './lib/run.mjs';
import { runSuite } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { setup } from './setup.mjs';

main(async () => {
  setup();
  const npm = process.env.npm_execpath ?? which('npm');
  if (npm === undefined) throw new Failure('npm is not on PATH');
  const programs = nodes.map((node) => ensureNode(node).bin);
  const env = { MP_TEST_NODES: programs.join(':'), MP_TEST_NPM: realpathSync(npm) };
  const tally = new Tally();
  const files = ['out/test/packaging/package.test.js'];
  tally.add(await runSuite({ files, env, limit: 400, timeout: 180_000 }));
  tally.close();
});
