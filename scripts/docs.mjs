// npm run docs: the API reference in out/api/, one page an entry, made of the doc comments in dist/*.d.ts.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { entries } from './check-api.mjs';
import { readEntry } from './lib/api.mjs';
import { examine } from './lib/api_rules.mjs';
import { Failure, isMain, main, root, say } from './lib/run.mjs';
import { setup } from './setup.mjs';

const folder = path.join(root, 'out/api');

/** Folders of ts/ in words; what stands beside them in ts/ itself is general. */
const areas = {
  process: 'Processes',
  fork: 'Fork',
  pool: 'Pools',
  queues: 'Queues',
  connection: 'Connections',
  sync: 'Locks and their kin',
  shared: 'Shared memory',
  manager: 'Managers',
  serialization: 'Serialization',
  posix: 'System calls',
  dist: 'General',
  internal: 'Options of waiting calls',
  native: 'Results',
};

const conventions = `Times are in milliseconds and sizes in bytes unless a comment says otherwise. A call whose name ends with \`Sync\` blocks
this process and its event loop; what returns a promise does not. Wrong arguments are refused before anything is done, by
\`ERR_INVALID_ARG_TYPE\`, \`ERR_INVALID_ARG_VALUE\` or \`ERR_OUT_OF_RANGE\`. _Python_ names the counterpart there.`;

const fence = (code) => `\`\`\`ts\n${code}\n\`\`\``;

/** Indentation as in a file of its own: the lines after the first one are as deep as they were in the class. */
function dedent(code) {
  const depth = Math.min(...[...code.matchAll(/\n( *)\S/g)].map(([, spaces]) => spaces.length));
  return Number.isFinite(depth) ? code.replaceAll(`\n${' '.repeat(depth)}`, '\n') : code;
}

function proseOf(comment) {
  if (comment === undefined) return [];
  const text = comment.text.replaceAll(/(^|\s)Python: /g, '$1_Python_: ');
  const throws = comment.throws
    .flatMap((each) => each.replaceAll(/\s+/g, ' ').split('; '))
    .map((each) => `- ${each.replace(/\.$/, '')}`);
  return [
    ...(text === '' ? [] : [text]),
    ...(throws.length === 0 ? [] : [`Throws:\n\n${throws.join('\n')}`]),
    ...comment.examples.map(fence),
  ];
}

/** What a member that overrides one says where it has no comment of its own. */
function commentOf(item, member) {
  for (let each = item; each !== undefined; each = each.extended) {
    const found = each.members.find(({ name }) => name === member.name)?.comment;
    if (found !== undefined) return found;
  }
  return undefined;
}

const titleOf = (item, { name, kind, isStatic }) => {
  if (kind === 'constructor') return `new ${item.name}()`;
  const call = kind === 'method' ? '()' : '';
  return `${isStatic ? item.name : item.name[0].toLowerCase() + item.name.slice(1)}${name.startsWith('[') ? '' : '.'}${name}${call}`;
};

function memberText(item, member) {
  const comment = commentOf(item, member);
  return [`### ${titleOf(item, member)}`, fence(member.code.map(dedent).join('\n')), ...proseOf(comment)];
}

/** An option: its comment is a line or two. */
const propertyText = (item, member) =>
  `- \`${member.code[0]}\`: ${commentOf(item, member)?.flat.replaceAll(/(^|\s)Python: /g, '$1_Python_: ') ?? ''}`;

function itemText(item) {
  const isShort = item.kind === 'interface' && item.members.every(({ kind }) => kind === 'property');
  const members = item.members ?? [];
  const hidden =
    item.extended?.comment !== undefined && !item.extended.isExported ? proseOf(item.extended.comment) : [];
  return [
    `## ${item.name}`,
    fence(item.code.map(dedent).join('\n')),
    ...proseOf(item.comment),
    ...hidden,
    ...(isShort
      ? [members.map((member) => propertyText(item, member)).join('\n')].filter((text) => text !== '')
      : members.flatMap((member) => memberText(item, member))),
  ];
}

const firstSentence = ({ comment: { flat } }) => /^.*?\.(?= |$)/.exec(flat)?.[0] ?? flat;

/** '#forksupport-1' as GitHub makes it of '## forkSupport' when there is '## ForkSupport' before. */
function anchorsOf(items) {
  const names = items.map(({ name }) => name.toLowerCase());
  const before = (name, index) => names.slice(0, index).filter((other) => other === name).length;
  return new Map(
    items.map((item, index) => [item, `${names[index]}-${before(names[index], index)}`.replace(/-0$/, '')]),
  );
}

function contents(items) {
  const anchors = anchorsOf(items);
  const of = (area) => items.filter((item) => item.area === area);
  return Object.entries(areas)
    .filter(([area]) => of(area).length > 0)
    .flatMap(([area, title]) => [
      `**${title}**`,
      of(area)
        .map((item) => `- [${item.name}](#${anchors.get(item)}): ${firstSentence(item)}`)
        .join('\n'),
    ]);
}

/** The reference of an entry in Markdown. */
export function pageOf({ name, intro, items }) {
  const exported = new Set(items.map((item) => item.name));
  for (const { extended } of items) if (extended !== undefined) extended.isExported = exported.has(extended.name);
  const areasThere = Object.keys(areas);
  const sorted = items.toSorted((a, b) => areasThere.indexOf(a.area) - areasThere.indexOf(b.area));
  const title = name === 'index' ? 'posix-multiprocessing' : `posix-multiprocessing/${name}`;
  const parts = [`# ${title}`, intro.text, conventions, ...contents(sorted), ...sorted.flatMap(itemText)];
  return `${parts.join('\n\n')}\n`;
}

function writePages() {
  setup({ compile: [] });
  mkdirSync(folder, { recursive: true });
  for (const file of entries) {
    const entry = readEntry(file);
    const complaints = examine(entry);
    if (complaints.length > 0) throw new Failure(complaints.join('\n'));
    const page = path.join(folder, `${entry.name}.md`);
    writeFileSync(page, pageOf(entry));
    say(`${path.relative(root, page)}: ${entry.items.length} names`);
  }
}

if (isMain(import.meta.url)) main(writePages);
