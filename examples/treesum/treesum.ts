/** The job: from a directory to its manifest and report. */

import { realpathSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { sumAlone } from './alone.js';
import { batches } from './batches.js';
import { Crew } from './crew.js';
import { FileTypes } from './file_types.js';
import { Ledger } from './ledger.js';
import { Manifest } from './manifest.js';
import { Omissions } from './omissions.js';
import { checkDirectory, nameBelow, type Options } from './options.js';
import { Progress } from './progress.js';
import { manifestPlace, omissionsList, speed, speedUp, totalsTable } from './report.js';
import { scoutFor } from './scout.js';
import { plural } from './text.js';
import { Totals } from './totals.js';
import { walk } from './walk.js';

/** Bytes read at a time: many enough for the disk, few enough for a lively progress bar. */
const CHUNK_SIZE = 1024 * 1024;
/** Once a file has been lost with so many workers it is the file that is to blame. */
const MAX_LOSSES = 10;

/** Returns the number of files that could not be read. Aborting `stop` ends it with that reason and leaves nothing behind. */
export async function treesum(options: Options, stop: AbortController): Promise<number> {
  const { directory, workers } = options;
  checkDirectory(directory);
  using manifest = new Manifest(options.manifest);
  using totals = new Totals(workers);
  const types = new FileTypes();
  const omissions = new Omissions();
  const ledger = new Ledger(types, totals, manifest, omissions);
  using crew = new Crew(workers, { totals, chunkSize: CHUNK_SIZE }, ledger, stop);
  print(`${directory}: summing with ${plural(workers, 'forked worker', 'forked workers')}\n`);

  let milliseconds = 0;
  {
    await using scout = scoutFor(Buffer.from(directory), totals);
    await scout.start();
    await using _progress = new Progress(totals);
    const begun = performance.now();
    await crew.sum(batches(filesBelow(directory, manifest, omissions, stop.signal)));
    await sumLost(crew, ledger, omissions);
    milliseconds = performance.now() - begun;
  }
  manifest.commit();

  const run = { ...(await totals.read()), workers, milliseconds, deaths: crew.deaths };
  print(`\n${totalsTable(await totals.byType(), types)}\n${omissionsList(omissions)}${speed(run)}`);
  print(speedUp(run, await sumAlone(Buffer.from(directory), CHUNK_SIZE, stop.signal)));
  print(manifestPlace(manifest.file));
  return omissions.failed;
}

/** All but the manifest itself, the one in the making and the one before. */
async function* filesBelow(
  directory: string,
  manifest: Manifest,
  omissions: Omissions,
  signal: AbortSignal,
): AsyncGenerator<Buffer[]> {
  const real = realpathSync(directory);
  const own = [manifest.file, manifest.temporary].flatMap((file) => nameBelow(real, file) ?? []);
  const ownPaths = own.map((name) => Buffer.from(path.join(directory, name)));
  const omit = (omitted: Buffer, reason: string, failed: boolean): void => omissions.add(omitted, reason, failed);
  for await (const files of walk(Buffer.from(directory), omit, signal)) {
    yield files.filter((file) => !ownPaths.some((ownPath) => ownPath.equals(file)));
  }
}

/**
 * Round by round, what was lost with workers that were killed. A file is lost in a round only if it was in all before.
 * Each goes alone now: if it is the file that kills, it takes no other with it.
 */
async function sumLost(crew: Crew, ledger: Ledger, omissions: Omissions): Promise<void> {
  let lost = ledger.takeLost();
  for (let losses = 1; lost.length > 0 && losses < MAX_LOSSES; losses++) {
    await crew.sum(
      lost.map((file) => [file]),
      lost.length,
    );
    lost = ledger.takeLost();
  }
  for (const file of lost) omissions.add(file, 'every worker that took it was killed', true);
}

function print(text: string): void {
  process.stdout.write(text);
}
