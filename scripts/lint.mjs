// Format, lint with and without types, types themselves, the import law, the doc comments.   npm run format   mends the format.
import path from 'node:path';
import { checkLayers } from './check-layers.mjs';
import { Failure, filesBelow, main, root, run, say, which } from './lib/run.mjs';
import { Tally } from './lib/tally.mjs';
import { setupDependencies } from './setup.mjs';

const tool = (name, args) => run(path.join(root, 'node_modules/.bin', name), args);

function checkClangFormat() {
  const files = filesBelow(path.join(root, 'native')).filter((file) => /\.(cc|h)$/.test(file));
  run('clang-format', ['--dry-run', '--Werror', ...files.map((file) => `native/${file}`)]);
}

main(() => {
  setupDependencies();
  const tally = new Tally();
  tally.check('format and lint (biome)', () => tool('biome', ['ci', '--error-on-warnings']));
  tally.check('types (tsc)', () => tool('tsc', ['-b']));
  tally.check('lint with types (oxlint)', () => tool('oxlint', ['--deny-warnings', '--quiet']));
  tally.check('import law (check-layers)', () => {
    const complaints = checkLayers();
    if (complaints.length > 0) throw new Failure(complaints.join('\n'));
  });
  tally.check('doc comments of the API (check-api)', () => run(process.execPath, ['scripts/check-api.mjs']));
  if (which('clang-format') === undefined) say('clang-format is not here: the format of the C++ files is not checked');
  else tally.check('format of the C++ files (clang-format)', checkClangFormat);
  tally.close();
});
