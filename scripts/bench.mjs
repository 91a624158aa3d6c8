// npm run bench                     every benchmark below bench/
// npm run bench -- start --cycles 9  one of them, with its own options
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Failure, main, root, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const folder = path.join(root, 'bench');
const all = readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'index.mjs')));

main(() => {
  const [wanted, ...options] = process.argv.slice(2);
  if (wanted !== undefined && !all.includes(wanted))
    throw new Failure(`no benchmark '${wanted}': there is ${all.join(', ')}`);
  setup();
  for (const name of wanted === undefined ? all : [wanted]) {
    run(process.execPath, [path.join(folder, name, 'index.mjs'), ...options]);
  }
});
