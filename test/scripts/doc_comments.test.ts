/** The check of the public doc comments: what it finds in made-up APIs, and that ours has nothing to be found. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import * as library from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { runScript } from '../support/run_script.js';

const check: URL = new URL('../../../scripts/check-api.mjs', import.meta.url);

async function complaints(...files: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runScript(check, { args: files });
  assert.equal(stderr, '');
  const lines = stdout.split('\n').filter((line) => line !== '');
  assert.equal(code, lines.length > 0 ? 1 : 0);
  return lines;
}

/** A comment that lacks nothing. */
const WHOLE: string = [
  "How many bytes are free; waits `timeout` milliseconds. Doesn't block.",
  'Python: `free()`.',
  'free(3)',
  '@throws EBADF; ERR_MP_CLOSED: after close().',
].join(' ');
const DECLARATION = 'export declare function free(fd: number, timeout: number): number;';

/** What is taken away from the comment, or put in its place, and what the check then says. */
const LACKS: readonly (readonly [what: string, old: string, replacement: string, complaint: RegExp])[] = [
  ['a comment', WHOLE, '', /^free: no comment$/],
  ['blocking', "Doesn't block.", '', /^free: does not say whether it blocks/],
  ['a Python counterpart', 'Python: `free()`.', '', /^free: no Python counterpart/],
  ['a man page', 'free(3)', '', /^free: no man page/],
  ['errors', '@throws EBADF; ERR_MP_CLOSED: after close().', '', /^free: no errors by code/],
  ['the code of an error', 'EBADF; ERR_MP_CLOSED: after close()', 'when it fails', /^free: no errors by code/],
  ['a code that exists', 'EBADF', 'EBADDAY', /^free: an unknown error code EBADDAY$/],
  ['a number among the parameters', '`timeout`', 'some', /^free: does not say what `timeout` is$/],
  ['the unit of a time', 'milliseconds', 'long', /^`timeout` of free: a time without its unit/],
  [
    'who it is like',
    '@throws EBADF',
    '@throws as loose() does; EBADF',
    /^free: refers to loose\(\), which is not there$/,
  ],
  ['a tag that is known', '@throws', '@raises', /^free: an unknown tag @raises$/],
];

describe('doc comments of the API', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mp-api-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Named as the entry whose functions want a man page. */
  const complaintsOf = (text: string, name: string = 'posix'): Promise<string[]> => {
    const file = join(folder, `${name}.d.ts`);
    writeFileSync(file, text);
    return complaints(file);
  };

  it('are complete', async () => {
    assert.deepEqual(await complaints(), []);
  });

  it('that lack nothing are not complained of', async () => {
    assert.deepEqual(await complaintsOf(`/** ${WHOLE} */\n${DECLARATION}`), []);
  });

  for (const [what, old, replacement, complaint] of LACKS) {
    it(`are complained of without ${what}`, async () => {
      assert.ok(WHOLE.includes(old));
      const found = await complaintsOf(`/** ${WHOLE.replace(old, replacement)} */\n${DECLARATION}`);
      assert.match(found.join('\n'), new RegExp(complaint.source, 'm'));
      if (old !== WHOLE && replacement !== '@raises' && !replacement.startsWith('when')) {
        assert.equal(found.length, 1, found.join('\n'));
      }
    });
  }

  it('are complained of without the unit of a result, of a size, of a property', async () => {
    const found = await complaintsOf(
      `/** What is there. Doesn't block. Never throws. Python: none. look(3) */
       export declare function look(): number;
       /** Makes room, \`size\`. Doesn't block. Never throws. Python: none. grow(3) */
       export declare function grow(size: number): void;
       /** Of a room. Python: none. */
       export interface Room {
         /** Until it closes. */
         waitTime: number;
       }`,
    );
    assert.deepEqual(found, [
      'the result of look: a number without its unit',
      '`size` of grow: a size without its unit (bytes, elements)',
      'Room.waitTime: a time without its unit (milliseconds, seconds)',
    ]);
  });

  it('are wanted for each public member, which may say what its class, the one it overrides or another one says', async () => {
    const found = await complaintsOf(
      `/** A door. Only the calls named …Sync block. Python: \`Door\`. */
       export declare class Door extends Base {
         #private;
         private hinge(): void;
         protected frame(): void;
         /** Opens it. Python: \`open()\` @throws ERR_MP_CLOSED. */
         open(): void;
         /** open(), blocking until somebody knocks. */
         openSync(): void;
         /** open(). */
         openTwiceSync(): void;
         /** Milliseconds that it has been open. Python: \`age\` */
         get age(): number;
         width: number;
         shut(): Promise<void>;
         knock(): void;
         [Symbol.dispose](): void;
       }
       declare class Base {
         /** Knocks. Never throws. Python: \`knock()\` */
         knock(): void;
       }`,
      'index',
    );
    assert.deepEqual(
      found.map((line) => line.replace(/ \(.*\)$/, '')),
      [
        'Door.openTwiceSync: does not say what it blocks, and until when',
        'Door.width: no comment',
        'Door.width: no Python counterpart',
        'Door.shut: no comment',
        'Door.shut: no Python counterpart',
        'Door.shut: does not say when it resolves',
        'Door.shut: no errors by code',
        'Door.[Symbol.dispose]: no comment',
        'Door.[Symbol.dispose]: no Python counterpart',
        'Door.[Symbol.dispose]: no errors by code',
      ],
    );
  });

  it('are found where names are exported from other files', async () => {
    writeFileSync(join(folder, 'options.d.ts'), 'export interface Options { size?: number }\n');
    const found = await complaintsOf(
      "export type { Options } from './options.js';\nexport * from './options.js';",
      'index',
    );
    assert.deepEqual(found, [
      'Options: no comment',
      "Options: no Python counterpart ('Python: …', or 'Python: none')",
      'Options.size: no comment',
    ]);
  });

  for (const [name, exported] of Object.entries({ index: library, posix })) {
    it(`become a reference, ${name}.md, with a section for each export, and links that lead there`, async () => {
      const { readEntry } = (await import(new URL('lib/api.mjs', check).href)) as {
        readEntry: (file: string) => object;
      };
      const { pageOf } = (await import(new URL('docs.mjs', check).href)) as { pageOf: (entry: object) => string };
      const page = pageOf(readEntry(fileURLToPath(new URL(`../dist/${name}.d.ts`, check))));
      const headings = [...page.matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading as string);
      assert.deepEqual(
        Object.keys(exported).filter((each) => !headings.includes(each)),
        [],
      );
      // As GitHub makes anchors: in lower case, a number behind those that are there already.
      const seen = new Map<string, number>();
      const anchors = headings.map((heading) => {
        const anchor = heading.toLowerCase();
        const before = seen.get(anchor) ?? 0;
        seen.set(anchor, before + 1);
        return before === 0 ? anchor : `${anchor}-${before}`;
      });
      const links = [...page.matchAll(/^- \[(\w+)\]\(#([\w-]+)\)/gm)].map(([, label, anchor]) => [label, anchor]);
      assert.deepEqual(
        links,
        headings.map((heading, index) => [heading, anchors[index]]),
      );
    });
  }
});
