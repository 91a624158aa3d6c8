import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs, { appendFileSync, symlinkSync, truncateSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { Connection, Lock, Process } from 'posix-multiprocessing';
import { batches } from '../../examples/treesum/batches.js';
import { Crew } from '../../examples/treesum/crew.js';
import { digestFile } from '../../examples/treesum/digest.js';
import { FileTypes, MAX_TYPES } from '../../examples/treesum/file_types.js';
import { Ledger } from '../../examples/treesum/ledger.js';
import { Manifest, manifestLine } from '../../examples/treesum/manifest.js';
import { Omissions } from '../../examples/treesum/omissions.js';
import { inBytes, inTime, printable } from '../../examples/treesum/text.js';
import { Totals } from '../../examples/treesum/totals.js';
import { walk } from '../../examples/treesum/walk.js';
import { PATIENCE } from '../support/watchdog.js';
import { fillWithSmallFiles, INVALID_UTF8, ODD_NAMES, TemporaryDirectory } from './odd_tree.js';

const CHUNK_SIZE = 64 * 1024;

/** Everything around a crew, and what its workers achieve. */
class Workshop {
  readonly directory = new TemporaryDirectory();
  readonly totals: Totals;
  readonly omissions = new Omissions();
  readonly stop = new AbortController();
  readonly manifest: Manifest;
  readonly ledger: Ledger;
  readonly crew: Crew;

  constructor(workers: number) {
    this.totals = new Totals(workers);
    this.manifest = new Manifest(join(this.directory.path, 'sums'));
    this.ledger = new Ledger(new FileTypes(), this.totals, this.manifest, this.omissions);
    this.crew = new Crew(workers, { totals: this.totals, chunkSize: CHUNK_SIZE }, this.ledger, this.stop);
  }

  /** Names in the manifest. */
  summed(): string[] {
    this.manifest.commit();
    const lines = fs.readFileSync(this.manifest.file, 'latin1').split('\n').filter(Boolean);
    return lines.map((line) => line.slice(66)).sort();
  }

  [Symbol.dispose](): void {
    this.crew[Symbol.dispose]();
    this.totals[Symbol.dispose]();
    this.manifest[Symbol.dispose]();
    this.directory[Symbol.dispose]();
  }
}

async function collect(portions: AsyncIterable<Buffer[]>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const portion of portions) all.push(...portion);
  return all;
}

function inBatches(paths: readonly Buffer[], size: number): Buffer[][] {
  return Array.from({ length: Math.ceil(paths.length / size) }, (_, n) => paths.slice(n * size, (n + 1) * size));
}

/** Replaces a method in this process until the end of the scope, and in those forked meanwhile. */
function replacing<T extends object, K extends keyof T>(
  object: T,
  name: K,
  make: (original: T[K]) => T[K],
): Disposable {
  const original = object[name];
  object[name] = make(original);
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      object[name] = original;
      syncBuiltinESMExports();
    },
  };
}

/** In a child only: true at every `nth` call, counted per process. */
function everyInChild(nth: number): () => boolean {
  const parent = process.pid;
  let calls = 0;
  return () => process.pid !== parent && ++calls % nth === 0;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
}

describe('treesum, its crew', function () {
  this.timeout(2 * PATIENCE);

  const moments: Record<string, (isTime: () => boolean) => Disposable> = {
    'as it has taken a file': (isTime) =>
      replacing(
        fs,
        'openSync',
        (open) =>
          (...args) =>
            isTime() ? die() : open(...args),
      ),
    "with the totals' lock in its hands": (isTime) =>
      replacing(
        Lock.prototype,
        'release',
        (release) =>
          function (this: Lock) {
            if (isTime()) die();
            release.call(this);
          },
      ),
    'between counting a file and sending its result': (isTime) =>
      replacing(
        Connection.prototype,
        'sendSync',
        (sendSync) =>
          function (this: Connection, value) {
            if (isTime()) die();
            sendSync.call(this, value);
          },
      ),
  };
  for (const [moment, arrange] of Object.entries(moments)) {
    it(`sums every file once though each worker dies ${moment}`, async () => {
      using tree = new TemporaryDirectory();
      using shop = new Workshop(3);
      fillWithSmallFiles(tree, 60);
      using _ = arrange(everyInChild(3));
      const paths = await collect(walk(Buffer.from(tree.path), () => assert.fail('nothing to omit')));
      await shop.crew.sum(inBatches(paths, 4));
      for (let lost = shop.ledger.takeLost(); lost.length > 0; lost = shop.ledger.takeLost()) {
        await shop.crew.sum(inBatches(lost, 1));
      }
      const files = paths.map((path) => path.toString('latin1'));
      assert.deepEqual(shop.summed(), files.sort());
      const bytes = files.reduce((sum, file) => sum + fs.statSync(file).size, 0);
      assert.deepEqual(await shop.totals.read(), {
        files: 60,
        bytes,
        expected: { files: 0, bytes: 0, complete: false },
      });
      assert.ok(shop.crew.deaths > 0);
    });
  }

  it('gives up when its workers die one after the other without a result', async () => {
    using shop = new Workshop(2);
    using _ = replacing(fs, 'openSync', (open) => {
      const isChild = everyInChild(1);
      return (...args) => (isChild() ? die() : open(...args));
    });
    const files = Array.from({ length: 600 }, () => Buffer.from('/etc/passwd'));
    await assert.rejects(shop.crew.sum(inBatches(files, 1)), /workers are killed before/);
    assert.equal(shop.stop.signal.aborted, true);
  });

  it('reports a file that has vanished, or is something else by now', async () => {
    using tree = new TemporaryDirectory();
    using shop = new Workshop(1);
    const file = tree.write('file', 'x');
    symlinkSync('file', join(tree.path, 'link'));
    execFileSync('mkfifo', [join(tree.path, 'fifo')]);
    const names = ['nowhere', 'fifo', 'link', 'file'].map((name) => Buffer.from(join(tree.path, name)));
    await shop.crew.sum([names]);
    assert.deepEqual(shop.summed(), [file]);
    assert.deepEqual(shop.omissions.named, [
      { path: names[0], reason: 'vanished' },
      { path: names[1], reason: 'not a regular file any more' },
      { path: names[2], reason: 'too many symbolic links encountered' },
    ]);
    assert.equal(shop.omissions.failed, 3);
  });

  it('ends its workers when it is stopped, with the reason given', async () => {
    using tree = new TemporaryDirectory();
    using shop = new Workshop(2);
    const reason = new Error('enough');
    const paths = async function* (): AsyncGenerator<Buffer[]> {
      yield [Buffer.from(tree.writeHuge('huge'))];
      shop.stop.abort(reason);
      yield [Buffer.from('/etc/passwd')];
    };
    await assert.rejects(shop.crew.sum(paths()), reason);
  });
});

describe('treesum, its totals', () => {
  it('are set right when a worker has died in the middle of an update', async () => {
    using totals = new Totals(2);
    totals.add(1, 3, 1000);
    const target = (): void => {
      totals.add(0, 2, 10);
      totals.reading(0, 7);
      Lock.prototype.release = die;
      totals.add(0, 2, 100);
    };
    const worker = await new Process({ target }).start();
    await worker.join();
    assert.equal(worker.exitCode, -9);
    worker.close();
    totals.received(0, 2, 10);
    await totals.repair(0);
    const byType = await totals.byType();
    assert.deepEqual(byType[2], { files: 1, bytes: 10 });
    assert.deepEqual(byType[3], { files: 1, bytes: 1000 });
    const { files, bytes } = await totals.read();
    assert.deepEqual({ files, bytes }, { files: 2, bytes: 1010 });
  });
});

describe('treesum, its batches', () => {
  it('hold many small files, or end with a large one', async () => {
    using directory = new TemporaryDirectory();
    const small = Buffer.from(directory.write('small', 'x'));
    const large = Buffer.from(directory.write('large', Buffer.alloc(600_000)));
    const paths = async function* (): AsyncGenerator<Buffer[]> {
      yield Array.from({ length: 50 }, () => small);
      yield [];
      yield Array.from({ length: 20 }, () => small);
      yield [large, large, Buffer.from('/nowhere')];
    };
    const sizes: number[] = [];
    for await (const batch of batches(paths())) sizes.push(batch.length);
    assert.deepEqual(sizes, [64, 7, 1, 1]);
  });
});

describe('treesum, its digest', () => {
  const buffer = Buffer.alloc(CHUNK_SIZE);

  it('is that of what was read, when the file grows or shrinks meanwhile', () => {
    using directory = new TemporaryDirectory();
    const content = Buffer.alloc(2 * CHUNK_SIZE, 'x');
    const once = (change: () => void): (() => void) => {
      let done = false;
      return () => {
        if (!done) change();
        done = true;
      };
    };
    const growing = directory.write('growing', content);
    const grown = digestFile(
      Buffer.from(growing),
      buffer,
      once(() => appendFileSync(growing, 'more')),
    );
    const all = Buffer.concat([content, Buffer.from('more')]);
    assert.deepEqual(grown, { digest: createHash('sha256').update(all).digest('hex'), bytes: all.length });
    const shrinking = directory.write('shrinking', content);
    const shrunk = digestFile(
      Buffer.from(shrinking),
      buffer,
      once(() => truncateSync(shrinking, 1)),
    );
    const half = content.subarray(CHUNK_SIZE);
    assert.deepEqual(shrunk, { digest: createHash('sha256').update(half).digest('hex'), bytes: CHUNK_SIZE });
  });
});

describe('treesum, its walk', () => {
  it('goes as deep as directories go, and names the one too deep', async () => {
    using directory = new TemporaryDirectory();
    const script = 'i=0; while [ $i -lt 50 ]; do mkdir "$1" && cd "$1" && echo > file || exit; i=$((i+1)); done';
    execFileSync('bash', ['-c', script, 'bash', 'd'.repeat(100)], { cwd: directory.path });
    const omitted: [Buffer, string, boolean][] = [];
    const files = await collect(
      walk(Buffer.from(directory.path), (path, reason, failed) => omitted.push([path, reason, failed])),
    );
    assert.ok(files.length >= 39);
    assert.equal(omitted.length, 1);
    const [path = Buffer.of(), reason, failed] = omitted[0] ?? [];
    assert.ok(path.length >= 4096);
    assert.deepEqual([reason, failed], ['name too long', true]);
  });
});

describe('treesum, its texts', () => {
  it('manifestLine writes what sha256sum writes, for every name', () => {
    using directory = new TemporaryDirectory();
    const digest = createHash('sha256').digest('hex');
    for (const name of [...ODD_NAMES, ...INVALID_UTF8]) {
      const path = Buffer.concat([Buffer.from(`${directory.path}/`), name]);
      fs.writeFileSync(path, '');
      const script = 'for file in "$1"/* "$1"/.[!.]*; do [ -e "$file" ] && sha256sum "$file"; done; true';
      const expected = execFileSync('bash', ['-c', script, 'bash', directory.path]);
      assert.deepEqual(manifestLine(digest, path), expected);
      fs.rmSync(path);
    }
  });

  it('printable leaves nothing that a terminal obeys', () => {
    const cases: [string | number[], string][] = [
      ['plain ünïcödé', 'plain ünïcödé'],
      ['a\nb\\c', 'a\\nb\\\\c'],
      ['\x1b[31m\r\x7f', '\\x1b[31m\\x0d\\x7f'],
      ['\u202eevil', '\\xe2\\x80\\xaeevil'],
      [[0x61, 0xff, 0x0a], 'a\\xff\\x0a'],
    ];
    for (const [name, text] of cases)
      assert.equal(printable(typeof name === 'string' ? Buffer.from(name) : Uint8Array.from(name)), text);
  });

  it('numbers carry units that suit them', () => {
    assert.deepEqual([0, 999, 1000, 12_345_678, 3e12].map(inBytes), ['0 B', '999 B', '1.0 kB', '12.3 MB', '3.0 TB']);
    assert.deepEqual([5, 59_000, 65_000, 7_200_000].map(inTime), ['0.01 s', '59.0 s', '1 min 05 s', '2 h 00 min']);
  });

  it('types are numbered until there are too many', () => {
    const types = new FileTypes();
    const named = (name: string): string => types.nameOf(types.numberOf(Buffer.from(name)));
    const names = ['/a/b.js', '/a/B.JS', '/a.d/file', '/a/.hidden', '/a/x.tar.gz', '/a/x.not an extension', '/a/x.'];
    assert.deepEqual(names.map(named), ['.js', '.js', '(none)', '(none)', '.gz', '(none)', '(none)']);
    for (let n = 0; n < MAX_TYPES; n++) named(`/a.${n}x`);
    assert.equal(named('/a.new'), '(other)');
    assert.equal(named('/a.js'), '.js');
  });
});
