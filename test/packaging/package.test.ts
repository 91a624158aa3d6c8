/** What users get: the packed tarball, installed where there is no compiler. Run by scripts/packaging.mjs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';

/** The programs to try the package with, and npm's own script: given by scripts/packaging.mjs. */
const nodes: readonly string[] = (process.env['MP_TEST_NODES'] ?? process.execPath).split(':');
const npm: string = process.env['MP_TEST_NPM'] ?? '';
const root: string = fileURLToPath(new URL('../../..', import.meta.url));

const folder: string = mkdtempSync(join(tmpdir(), 'mp-packaging-'));
const app: string = join(folder, 'app');
const installed: string = join(app, 'node_modules/posix-multiprocessing');
const plainPath: string = process.env['PATH'] ?? '';
/** A folder with node and sh alone: no compiler, no make, no python. */
const barePath: string = join(folder, 'bin');

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], options: { cwd?: string; path?: string } = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.cwd ?? app,
    env: { HOME: process.env['HOME'], PATH: options.path ?? barePath },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error) throw error;
  return { code: status, stdout, stderr };
}

function runScript(node: string, text: string, ...flags: string[]): Ran {
  return run(node, [...flags, '--eval', text]);
}

/** Uses both binaries: the Node-API one and the one for this Node alone. */
const forkAndJoin = `
  const { Process, forkSupport } = mp;
  const child = new Process({ target: () => process.exit(7) });
  child.start().then(() => child.join()).then(() => console.log(child.exitCode, typeof posix.getppid()));`;

describe('the packed package', function () {
  this.timeout(180_000);

  before(() => {
    mkdirSync(app);
    mkdirSync(barePath);
    for (const [name, program] of [
      ['node', process.execPath],
      ['sh', '/bin/sh'],
    ] as const) {
      symlinkSync(program, join(barePath, name));
    }
    const packed = run(process.execPath, [npm, 'pack', '--json', '--pack-destination', folder], { cwd: root });
    assert.equal(packed.code, 0, packed.stderr);
    writeFileSync(join(app, 'package.json'), '{ "private": true }');
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    const result = run(process.execPath, [npm, 'install', '--foreground-scripts', join(folder, tarball ?? '')]);
    assert.equal(result.code, 0, result.stderr);
  });

  after(() => rmSync(folder, { recursive: true }));

  it('holds what is needed to run and to compile, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(readdirSync(installed).sort(), [
      'LICENSE',
      'README.md',
      'binding.gyp',
      'dist',
      'native',
      'package.json',
      'prebuilds',
      'scripts',
    ]);
    assert.deepEqual(
      files.filter((file) => /tsbuildinfo|\.test\.|native\/test|node_modules|dist\/internals/.test(file)),
      [],
    );
  });

  it('brings no other package and runs no script when it is installed', () => {
    assert.deepEqual(
      readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.')),
      [basename(installed)],
    );
    assert.equal(existsSync(join(installed, 'build')), false);
  });

  for (const node of nodes) {
    const { stdout: version } = spawnSync(node, ['--version'], { encoding: 'utf8' });

    describe(`under Node ${version.trim()}`, () => {
      it('is imported, forks and joins', () => {
        const text = `import * as mp from 'posix-multiprocessing';
          import * as posix from 'posix-multiprocessing/posix'; ${forkAndJoin}`;
        assert.deepEqual(runScript(node, text, '--input-type=module'), { code: 0, stdout: '7 number\n', stderr: '' });
      });

      it('is required, forks and joins', () => {
        const text = `const mp = require('posix-multiprocessing');
          const posix = require('posix-multiprocessing/posix'); ${forkAndJoin}`;
        assert.deepEqual(runScript(node, text, '--input-type=commonjs'), { code: 0, stdout: '7 number\n', stderr: '' });
      });

      it('says what it looked for, where, and what to do, when no binary fits', () => {
        const broken = join(folder, 'broken');
        cpSync(app, broken, { recursive: true });
        rmSync(join(broken, 'node_modules/posix-multiprocessing/prebuilds'), { recursive: true });
        const text = `import('posix-multiprocessing').catch((e) => console.log(e.code + ' ' + e.message + ' ' + process.version))`;
        const { stdout } = run(node, ['--eval', text], { cwd: broken });
        rmSync(broken, { recursive: true });
        const here = `${process.platform}-${process.arch}`;
        for (const part of [
          'ERR_MP_NO_BINARY',
          here,
          `Node ${version.trim()}`,
          'posix-multiprocessing/build/Release/mp.node: ',
          `posix-multiprocessing/prebuilds/${here}/mp.node: `,
          'npm explore posix-multiprocessing -- npm run build',
        ]) {
          assert.ok(stdout.includes(part), `${part} is not in: ${stdout}`);
        }
        assert.match(stdout, /glibc 2\.\d+/);
      });
    });
  }

  for (const [what, file, flags] of [
    ['module nodenext', 'program.mts', ['--module', 'nodenext']],
    ['module nodenext, from CommonJS', 'program.cts', ['--module', 'nodenext']],
    ['bundler resolution', 'program.ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ] as const) {
    it(`carries types that a strict program compiles with: ${what}`, () => {
      const program = `
        import { Process } from 'posix-multiprocessing';
        import { getppid } from 'posix-multiprocessing/posix';
        const child: Process = new Process({ target: () => {} });
        export const parent: number = getppid();
        // @ts-expect-error there is no such method
        child.nonsense();`;
      writeFileSync(join(app, file), program);
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
      const strict = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--target',
        'es2023',
        '--lib',
        'es2023,esnext.disposable',
      ];
      const { code, stdout } = run(process.execPath, [tsc, ...strict, ...flags, ...types, file]);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
    });
  }

  describe('without its prebuilt binaries', () => {
    it('is compiled from source by the command that the error names', () => {
      rmSync(join(installed, 'prebuilds'), { recursive: true });
      const command = [npm, 'explore', 'posix-multiprocessing', '--', 'npm', 'run', 'build'];
      const built = run(process.execPath, command, { path: plainPath });
      assert.equal(built.code, 0, built.stderr);
      const text = `import * as mp from 'posix-multiprocessing'; import * as posix from 'posix-multiprocessing/posix'; ${forkAndJoin}`;
      const { stdout, stderr } = runScript(process.execPath, text, '--input-type=module');
      assert.deepEqual([stdout, stderr], ['7 number\n', '']);
    });
  });
});
