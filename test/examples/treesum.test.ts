import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { PATIENCE, waitFor } from '../support/watchdog.js';
import { commandFor, Job, treesum } from './job.js';
import { fillWithSmallFiles, OddTree, TemporaryDirectory } from './odd_tree.js';

/** A manifest's lines in an order of their own: the workers' order is as it comes. Latin-1, as names are bytes. */
function linesOf(text: Buffer): string[] {
  return text.toString('latin1').split('\n').filter(Boolean).sort();
}

/** What sha256sum itself says about the same tree. */
function expectedLines(directory: string): string[] {
  const command = 'find "$1" -type f -print0 | xargs -0 --no-run-if-empty sha256sum';
  return linesOf(execFileSync('sh', ['-c', command, 'sh', directory], { maxBuffer: 1 << 26 }));
}

function assertChecked(manifest: string): void {
  const { status, stdout, stderr } = spawnSync('sha256sum', ['--check', '--quiet', '--strict', manifest], {
    cwd: '/',
    encoding: 'latin1',
  });
  assert.equal(status, 0, stdout + stderr);
}

/** The table of totals: name of the type → files. */
function filesByType(stdout: string): Record<string, number> {
  const rows = [...stdout.matchAll(/^(\S+(?: others)?) +([\d,]+) +[\d.]+ [kMGT]?B(?: +[\d.]+ %)?$/gm)];
  return Object.fromEntries(rows.map(([, name, files]) => [name, Number(files?.replaceAll(',', ''))]));
}

describe('examples/treesum', function () {
  this.timeout(2 * PATIENCE);

  it('writes what sha256sum writes, and names what is no regular file', async () => {
    using tree = await new OddTree().fill();
    using elsewhere = new TemporaryDirectory();
    const manifest = join(elsewhere.path, 'sums');
    const reasons = { ...tree.omitted, ...(tree.tryDevice() && { 'character device': 1 }) };
    const { code, stdout, stderr } = await treesum([tree.path, '--workers', '3', '--manifest', manifest]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(linesOf(readFileSync(manifest)), expectedLines(tree.path));
    assertChecked(manifest);
    for (const [reason, times] of Object.entries(reasons)) {
      assert.match(stdout, new RegExp(`^not summed: .*[( ]${reason}: ${times}[,)]`, 'm'));
      assert.match(stdout, new RegExp(`^ {2}/.*: ${reason}$`, 'm'));
    }
    const count = Object.values(reasons).reduce((a, b) => a + b);
    assert.match(stdout, new RegExp(`^not summed: ${count} `, 'm'));
    assert.match(stdout, /^speed-up: \d+\.\d\d against one process alone, which takes [\d.]+ s \(measured: /m);
    assert.ok(stdout.includes(`manifest: ${manifest}\n`));
    assert.deepEqual(readdirSync(elsewhere.path), ['sums']);
  });

  it('counts files and bytes by type', async () => {
    using tree = await new OddTree().fill();
    using elsewhere = new TemporaryDirectory();
    const { stdout } = await treesum([tree.path, '--manifest', join(elsewhere.path, 'sums')]);
    assert.deepEqual(filesByType(stdout), {
      '.js': 5,
      '.bin': 1,
      '.gz': 1,
      '.txt': 1,
      '(none)': 15,
      total: 23,
    });
    assert.match(stdout, /^\.bin +1 +3\.1 MB +100\.0 %$/m);
  });

  it('goes on after what may not be read, and ends with 1', async () => {
    using tree = new OddTree();
    using elsewhere = new TemporaryDirectory();
    tree.forbid();
    tree.write('readable', 'x');
    const manifest = join(elsewhere.path, 'sums');
    // Root may read everything, unless it gives that up.
    const unprivileged = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];
    const { code, stdout, stderr } = await treesum([tree.path, '--manifest', manifest], unprivileged);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^not summed: 2 \(permission denied: 2\)$/m);
    assert.match(stdout, /forbidden-file: permission denied$/m);
    assert.match(stdout, /forbidden-directory: permission denied$/m);
    assert.deepEqual(
      linesOf(readFileSync(manifest)).map((line) => line.slice(66)),
      [join(tree.path, 'readable')],
    );
  });

  it('writes an empty manifest for an empty directory', async () => {
    using empty = new TemporaryDirectory();
    using elsewhere = new TemporaryDirectory();
    const manifest = join(elsewhere.path, 'sums');
    const { code, stdout } = await treesum([empty.path, '--manifest', manifest]);
    assert.equal(code, 0);
    assert.equal(readFileSync(manifest, 'utf8'), '');
    assert.deepEqual(filesByType(stdout), { total: 0 });
    assert.match(stdout, /^speed-up: not measured$/m);
  });

  it('does not sum its own manifest, neither the old nor the new one', async () => {
    using tree = new TemporaryDirectory();
    tree.write('file', 'x');
    const manifest = tree.write('sums', 'old');
    assert.equal((await treesum([tree.path, '--manifest', manifest])).code, 0);
    assert.deepEqual(
      linesOf(readFileSync(manifest)).map((line) => line.slice(66)),
      [join(tree.path, 'file')],
    );
    assert.deepEqual(readdirSync(tree.path).sort(), ['file', 'sums']);
  });

  it('refuses what makes no sense with 2, a message, and nothing done', async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write('file', 'x');
    const manifest = join(directory.path, 'sums');
    const cases: [string[], RegExp][] = [
      [['--workers', '0', directory.path], /--workers must be .*'0'[\s\S]*^usage: /m],
      [['--workers', '1.5', directory.path], /--workers must be [\s\S]*^usage: /m],
      [['--workers', '99999', directory.path], /--workers must be [\s\S]*^usage: /m],
      [['--workers'], /^usage: /m],
      [['--unknown', directory.path], /--unknown[\s\S]*^usage: /m],
      [[directory.path, directory.path], /one directory [\s\S]*^usage: /m],
      [[file], /file: not a directory$/m],
      [[join(directory.path, 'nowhere')], /nowhere: no such directory$/m],
      [[directory.path, '--manifest', directory.path], /: not a regular file$/m],
      [[directory.path, '--manifest', '/dev/null'], /\/dev\/null: not a regular file$/m],
      [[directory.path, '--manifest', join(directory.path, 'nowhere/sums')], /ENOENT/],
    ];
    for (const [args, message] of cases) {
      const withManifest = args.includes('--manifest') ? args : [...args, '--manifest', manifest];
      const { code, stderr, stdout } = await treesum(
        args[0] === '--workers' && args.length === 1 ? args : withManifest,
      );
      assert.equal(code, 2, `${args.join(' ')}: ${stdout}`);
      assert.match(stderr, message);
    }
    assert.deepEqual(readdirSync(directory.path), ['file']);
    assert.ok(lstatSync('/dev/null').isCharacterDevice());
  });

  it('tells how it is used, when asked', async () => {
    const { code, stdout } = await treesum(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^usage: /);
  });

  it('says in plain lines how far it is where no terminal is', async () => {
    using tree = new TemporaryDirectory();
    using elsewhere = new TemporaryDirectory();
    tree.writeHuge('huge');
    tree.write('small', 'x');
    using job = new Job(commandFor([tree.path, '--manifest', join(elsewhere.path, 'sums')]));
    await job.printed(
      /^0 %, [\dhmins. ]+ left, \d files\/s, [\d.]+ [kMG]B\/s, 1 of 2 files, [\d.]+ [kMG]B of 1\.1 TB$/m,
    );
    process.kill(job.pid, 'SIGINT');
    const { stderr } = await job.end();
    assert.ok(!stderr.includes('\x1b'));
  });

  it('draws a bar on a terminal and takes it away, also after Ctrl-C', async () => {
    using tree = new TemporaryDirectory();
    using elsewhere = new TemporaryDirectory();
    tree.writeHuge('huge');
    const command = commandFor([tree.path, '--manifest', join(elsewhere.path, 'sums')]).join(' ');
    using job = new Job(['script', '-qefc', command, '/dev/null']);
    await job.printed(/\[-{20}\] {2}0 % .* left {2}0 files\/s/);
    assert.ok(job.stdout.includes('\r\x1b[K['));
    job.type('\x03');
    const { code, stdout } = await job.end();
    assert.equal(code, 130);
    assert.ok(stdout.endsWith('\r\x1b[K'), JSON.stringify(stdout.slice(-200)));
    assert.deepEqual(readdirSync(elsewhere.path), []);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with ${exitCode} after ${signal} and leaves nothing behind`, async () => {
      using tree = new TemporaryDirectory();
      using elsewhere = new TemporaryDirectory();
      fillWithSmallFiles(tree, 100);
      for (const name of ['huge-1', 'huge-2', 'huge-3']) tree.writeHuge(name);
      using job = new Job(commandFor([tree.path, '--workers', '3', '--manifest', join(elsewhere.path, 'sums')]));
      await waitFor('three workers to be busy', () =>
        [1, 2, 3].every((n) => job.childrenReading(`huge-${n}`).length > 0),
      );
      // Ctrl-C reaches the whole group, here the workers first.
      const receivers = signal === 'SIGINT' ? [...job.children, job.pid] : [job.pid];
      for (const pid of receivers) signalTo(pid, signal);
      const { code, stdout } = await job.end();
      assert.equal(code, exitCode);
      assert.doesNotMatch(stdout, /manifest/);
      assert.deepEqual(readdirSync(elsewhere.path), []);
      assert.deepEqual(
        readdirSync('/dev/shm').filter((name) => name.includes(`mp-${job.pid}-`)),
        [],
      );
    });
  }

  it('loses no file and counts none twice, whenever its workers are killed', async () => {
    using tree = new TemporaryDirectory();
    using elsewhere = new TemporaryDirectory();
    fillWithSmallFiles(tree, 4000);
    for (let n = 0; n < 8; n++) tree.write(`large/${n}.bin`, Buffer.alloc(8_000_000, n));
    const expected = expectedLines(tree.path);
    const manifest = join(elsewhere.path, 'sums');
    let replaced = 0;
    for (let round = 0; round < 3; round++) {
      using job = new Job(commandFor([tree.path, '--workers', '4', '--manifest', manifest]));
      await killAtRandom(job, 25);
      const { code, stdout, stderr } = await job.end();
      assert.equal(code, 0, stderr + stdout);
      assert.deepEqual(linesOf(readFileSync(manifest)), expected);
      assert.deepEqual(filesByType(stdout), {
        '.js': 1000,
        '.json': 1000,
        '.md': 1000,
        '(none)': 1000,
        '.bin': 8,
        total: 4008,
      });
      assert.match(stdout, /^\.bin +8 +64\.0 MB /m);
      replaced += Number(/(\d+) workers? (?:was|were) killed and replaced/.exec(stdout)?.[1] ?? 0);
    }
    assert.ok(replaced > 0, 'no worker was hit');
  });
});

/** Kills `times` children of a job, at random moments, or as many as come before its end. */
async function killAtRandom(job: Job, times: number): Promise<void> {
  // The first child of all is the one in which the library tries whether it can fork.
  await waitFor('the workers', () => job.hasEnded || job.children.length >= 3);
  for (let n = 0; n < times && !job.hasEnded; n++) {
    const { children } = job;
    const victim = children[Math.floor(Math.random() * children.length)];
    if (victim !== undefined) signalTo(victim, 'SIGKILL');
    await delay(Math.random() * 25);
  }
}

/** To a process that may have ended in the meantime. */
function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}
