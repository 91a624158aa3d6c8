// Packs the package and uses it as its users would: test/packaging, under each Node that it is built for. Then publint and
// attw look at the tarball, and npm at the advisories against the development dependencies: users get none.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureNode, nodes } from './lib/nodes.mjs';
import { Failure, filesBelow, main, npm, root, say, which } from './lib/run.mjs';
import { runSuite } from './lib/suite.mjs';
import { Tally } from './lib/tally.mjs';
import { setup } from './setup.mjs';

const folder = path.join(root, 'out/packaging');

/** Not among the development dependencies: nobody else needs the sixty packages that they bring, a second TypeScript among them. */
const checkers = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];

function installCheckers() {
  const installed = filesBelow(path.join(folder, 'node_modules/.bin')).length > 0;
  if (installed) return;
  say(`packaging: installing ${checkers.join(', ')}`);
  mkdirSync(folder, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error', '--prefix', folder];
  npm(['install', ...flags, ...checkers], { cwd: folder, stdio: ['ignore', 'ignore', 2] });
}

function pack() {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.tgz'))) rmSync(path.join(folder, name));
  npm(['pack', '--loglevel=error', '--pack-destination', folder], { stdio: ['ignore', 'ignore', 2] });
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  return path.join(folder, tarball);
}

/** Runs one of the checkers; what it finds is the reason of a Failure. */
function check(checker, args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(folder, 'node_modules', checker), ...args],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Failure(`${stdout}${stderr}`);
}

/** Skipped where the registry does not answer that question: mirrors often don't. */
function audit(tally) {
  const { stdout } = spawnSync(process.execPath, [npmScript(), 'audit', '--json'], { cwd: root, encoding: 'utf8' });
  const { metadata, message } = JSON.parse(stdout || '{}');
  if (metadata === undefined) {
    console.log(`skipped: npm audit: ${message ?? 'no answer'}`);
    tally.add({ skipped: 1 });
    return;
  }
  tally.check('npm audit knows of nothing', () => {
    if (metadata.vulnerabilities.total > 0) throw new Failure(stdout);
  });
}

function npmScript() {
  const script = process.env.npm_execpath ?? which('npm');
  if (script === undefined) throw new Failure('npm is not on PATH');
  return realpathSync(script);
}

main(async () => {
  setup();
  const programs = nodes.map((node) => ensureNode(node).bin);
  const env = { MP_TEST_NODES: programs.join(':'), MP_TEST_NPM: npmScript() };
  const tally = new Tally();
  const files = ['out/test/packaging/package.test.js'];
  tally.add(await runSuite({ files, env, limit: 400, timeout: 180_000 }));
  installCheckers();
  const tarball = pack();
  tally.check('publint finds nothing', () => check('publint/src/cli.js', ['--strict', tarball]));
  // One ES module for import and require(), which every Node from 20.19 on can: CommonJS before that is no target.
  tally.check('attw finds nothing', () =>
    check('@arethetypeswrong/cli/dist/index.js', [tarball, '--profile', 'esm-only']),
  );
  audit(tally);
  tally.close();
});
