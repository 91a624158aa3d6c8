// Whether the doc comments of the public API say all they have to: scripts/lib/api_rules.mjs.
//   node scripts/check-api.mjs [FILE.d.ts …]      default: the package's entries
import path from 'node:path';
import { readEntry } from './lib/api.mjs';
import { examine } from './lib/api_rules.mjs';
import { isMain, main, root } from './lib/run.mjs';

/** The package's entries, as tsc has made them. */
export const entries = ['index', 'posix'].map((name) => path.join(root, `dist/${name}.d.ts`));

if (isMain(import.meta.url)) {
  main(() => {
    const files = process.argv.length > 2 ? process.argv.slice(2) : entries;
    const complaints = files.flatMap((file) => examine(readEntry(path.resolve(file))));
    for (const line of complaints) console.log(line);
    if (complaints.length > 0) process.exitCode = 1;
  });
}
