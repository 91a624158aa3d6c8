/** What the documents show is so: code has the right types, programs run, files, commands and codes exist. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'mocha';
import * as library from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { PATIENCE } from '../support/watchdog.js';

const root: string = fileURLToPath(new URL('../../..', import.meta.url));

function filesBelow(folder: string, suffix: string): string[] {
  const found = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return found.filter((file) => file.endsWith(suffix)).map((file) => join(folder, file));
}

const documents: readonly string[] = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...filesBelow('docs', '.md'),
  ...filesBelow('examples', '.md'),
];
const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

/** Each block is a program of its own in these, and ends by itself. Programs for other libraries are marked `javascript`. */
const runnable: ReadonlySet<string> = new Set([
  'README.md',
  'docs/coming-from-python.md',
  'docs/coming-from-worker-threads-and-piscina.md',
  'docs/getting-started.md',
  'docs/signals.md',
  'docs/timeouts-and-cancellation.md',
]);

/** What the blocks of a document take for granted, beside the library's own names. */
const given: Record<string, string> = {
  'README.md': "const loadAGigabyteOfWords = () => ['abc', 'abd', 'cde'];",
  'docs/fork-safety.md': 'const pool = { forgetConnections() {} };',
  'docs/locks.md':
    "import { setTimeout as delay } from 'node:timers/promises'; const lock = new RLock(); const work = async () => {};",
  'docs/pool.md': 'const loadHugeTable = async () => ({ lookUp: (word) => word }); const words = [1];',
  'docs/sharing.md': 'class Counter {}',
};

interface Block {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** All that it prints: the block `text` right behind it. */
  readonly output: string | undefined;
}

function blocksOf(document: string): Block[] {
  const text = textOf(document);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$(?=(?:\n\n```text\n(.*?)^```$)?)/gms)].map((match) => ({
    document,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1] ?? '',
    code: match[2] ?? '',
    output: match[3],
  }));
}

const LANGUAGES: ReadonlySet<string> = new Set(['js', 'cjs', 'ts']);
const blocks: readonly Block[] = documents.flatMap(blocksOf).filter(({ language }) => LANGUAGES.has(language));
/** Whether this Node runs TypeScript by itself. */
const stripsTypes: boolean = 'typescript' in process.features && process.features.typescript !== false;

/** The library's names that the code uses without an import. */
function importLine(code: string): string {
  const declared = new Set(code.match(/(?<=import \{[^}]*)\w+(?=[^}]*\} from)|(?<=(?:const|class|function) )\w+/g));
  const names = Object.keys(library).filter((name) => !declared.has(name) && new RegExp(`\\b${name}\\b`).test(code));
  return names.length === 0 ? '' : `import { ${names.join(', ')} } from 'posix-multiprocessing';`;
}

/** As a module, on as many lines: line 1 is put before the first one. A block that begins with a file's name is that file. */
function moduleOf({ document, language, code }: Block): string {
  if (language === 'cjs') return code;
  const own = given[document] ?? '';
  return `${importLine(`${own}\n${code}`)} ${own} export {};\n${code}`;
}

describe('documents', function () {
  this.timeout(2 * PATIENCE);

  // Inside the package, from where it can be imported by its name.
  mkdirSync(join(root, 'out'), { recursive: true });
  const folder = mkdtempSync(join(root, 'out/documents-'));
  const fileOf = ({ document, line, language, code }: Block): string => {
    const name = /^\/\/ (\S+\.c?[jt]s)\n/.exec(code)?.[1];
    return join(folder, document.replace(/\.md$/, ''), name ?? `line_${line}.${language}`);
  };

  before(() => {
    for (const block of blocks) {
      mkdirSync(dirname(fileOf(block)), { recursive: true });
      writeFileSync(fileOf(block), moduleOf(block));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  it('code has the right types', () => {
    assert.ok(blocks.length > 20);
    const options = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        allowJs: true,
        checkJs: true,
        composite: false,
        noEmit: true,
        noImplicitOverride: false,
        noUnusedLocals: false,
        strict: false,
        exactOptionalPropertyTypes: false,
        types: ['node'],
      },
      include: ['.'],
      exclude: ['**/*.cjs'], // to TypeScript `module` is there what it exports; Node runs them
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['--project', folder], {
      encoding: 'utf8',
    });
    // JavaScript has no means to say what a received value is.
    const complaints = stdout.split('\n').filter((line) => line !== '' && !/\.js\(.*TS(18046|2362)/.test(line));
    assert.deepEqual([...complaints, stderr], ['']);
    assert.equal(status === 0, stdout === '');
  });

  for (const block of blocks.filter(({ document }) => runnable.has(document))) {
    it(`${block.document}, line ${block.line} runs`, async function () {
      if (block.language === 'ts' && !stripsTypes) this.skip();
      const { code, stderr, stdout, facts } = await runScript(pathToFileURL(fileOf(block)));
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout + stderr + facts);
      if (block.output !== undefined) assert.equal(stdout, block.output);
      for (const [, said] of block.code.matchAll(/console\.log\(.*\); \/\/ (\S+)$/gm)) {
        assert.ok(stdout.split('\n').includes(said ?? ''), `no line says ${said}:\n${stdout}`);
      }
    });
  }

  it('links lead to files', () => {
    for (const document of documents) {
      for (const [, target] of textOf(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        assert.ok(existsSync(join(root, dirname(document), target ?? '')), `${document}: ${target}`);
      }
    }
  });

  it('every page is reached by links from README.md', () => {
    const reached = new Set(['README.md']);
    for (const document of reached) {
      for (const [, target] of textOf(document).matchAll(/\]\((?!https?:)([^)#]+\.md)[^)]*\)/g)) {
        reached.add(join(dirname(document), target ?? ''));
      }
    }
    assert.deepEqual(
      documents.filter((document) => !reached.has(document)),
      [],
    );
  });

  it('every guarantee of README.md names a page or a command that shows it', () => {
    const [, section = ''] = /^## Guarantees and limits\n(.*?)^## /ms.exec(textOf('README.md')) ?? [];
    const items = section.split(/^- /m).slice(1);
    assert.ok(items.length > 5);
    for (const item of items) assert.match(item, /\]\(|`npm (?:run|test) /);
  });

  it('tests that are named exist', () => {
    const areas = readdirSync(join(root, 'test'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const named = new RegExp(
      `\\bnpm test -- ([a-z_/]+)|\`((?:${areas.map(({ name }) => name).join('|')})/[a-z_]+)\``,
      'g',
    );
    for (const document of documents) {
      for (const [, first, second] of textOf(document).matchAll(named)) {
        const name = first ?? second;
        assert.ok(existsSync(join(root, 'test', `${name}.test.ts`)), `${document}: ${name}`);
      }
    }
  });

  it('npm scripts exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    for (const document of documents) {
      for (const [, name] of textOf(document).matchAll(/\bnpm run ([\w-]+)/g)) {
        assert.ok(scripts[name ?? ''] !== undefined, `${document}: npm run ${name}`);
      }
      for (const [, file] of textOf(document).matchAll(/\bnode (scripts\/[\w./-]+)/g)) {
        assert.ok(existsSync(join(root, file ?? '')), `${document}: ${file}`);
      }
    }
  });

  it('every code of an error or warning is in docs/errors.md', () => {
    const pattern = /\bERR_MP_[A-Z_]+\b|(?<=code: ')MP_[A-Z_]+/g;
    const codes = new Set(filesBelow('ts', '.ts').flatMap((file) => textOf(file).match(pattern) ?? []));
    assert.ok(codes.size > 15);
    const rows = textOf('docs/errors.md');
    for (const code of codes) assert.match(rows, new RegExp(`^\\| \`${code}\` `, 'm'));
  });
});
