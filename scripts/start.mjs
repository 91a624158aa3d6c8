// npm start [-- DIR] [--workers N]: sets a fresh clone up, then runs the main job, examples/treesum.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, root } from './lib/run.mjs';
import { setup } from './setup.mjs';

main(async () => {
  setup({ compile: ['examples'] });
  // In this process, not in one of its own: signals and the exit code are then the job's without our doing.
  const job = path.join(root, 'out/examples/treesum/main.js');
  process.argv[1] = job;
  process.setSourceMapsEnabled(true);
  // npm runs scripts at the top of the package; a relative DIR is meant from where the user is.
  if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
  await import(pathToFileURL(job).href);
});
