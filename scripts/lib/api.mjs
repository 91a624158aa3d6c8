// The public API as the .d.ts files of dist/ show it to users: what an entry exports, and the doc comments.
// rolldown brings the parser along. What types mean is not asked for: the text of a signature is what a reader wants.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/utils';
import { Failure } from './run.mjs';

/** A parsed file, and what stands where in it. */
class Source {
  constructor(file) {
    if (!existsSync(file)) throw new Failure(`${file} is not there: node scripts/setup.mjs`);
    this.file = file;
    this.text = readFileSync(file, 'utf8');
    const { program, comments, errors } = parseSync(file, this.text);
    if (errors.length > 0) throw new Failure(`${file}: ${errors[0].message}`);
    this.body = program.body;
    this.comments = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  }

  textOf(node) {
    return node ? this.text.slice(node.start, node.end) : '';
  }

  /** The doc comment that ends right before the node. */
  commentOf(node) {
    const found = this.comments.findLast(({ end }) => end <= node.start);
    const isNext = found !== undefined && this.text.slice(found.end, node.start).trim() === '';
    return isNext ? parseComment(found.value) : undefined;
  }
}

/** `text` (`flat`: on one line), then each tag with what follows it; a blank line does not end a tag. */
function parseComment(raw) {
  const lines = raw.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  const [text, ...rest] = lines
    .join('\n')
    .trim()
    .split(/(?:^|(?<=\s))@(\w+)\b/);
  const tags = [];
  for (let at = 0; at < rest.length; at += 2) tags.push({ name: rest[at], text: rest[at + 1].trim() });
  const of = (name) => tags.filter((tag) => tag.name === name).map((tag) => tag.text);
  return {
    text: text.trim(),
    flat: text.trim().replace(/\s+/g, ' '),
    throws: of('throws'),
    examples: of('example'),
    strange: tags.filter(({ name }) => name !== 'throws' && name !== 'example').map(({ name }) => name),
  };
}

/** A parameter, or a property of an options object that is written out in the signature. */
function* parametersOf(source, params) {
  for (const param of params) {
    const inner = param.type === 'RestElement' ? param.argument : param;
    const annotation = param.typeAnnotation ?? inner.typeAnnotation;
    yield { name: inner.name ?? 'options', type: source.textOf(annotation?.typeAnnotation) };
    yield* literalProperties(source, annotation?.typeAnnotation);
  }
}

function* literalProperties(source, type) {
  if (type?.type === 'TSIntersectionType') for (const each of type.types) yield* literalProperties(source, each);
  if (type?.type !== 'TSTypeLiteral') return;
  for (const { key, typeAnnotation } of type.members) {
    yield { name: key?.name ?? '', type: source.textOf(typeAnnotation?.typeAnnotation) };
  }
}

const callable = (source, { params, returnType }) => ({
  params: [...parametersOf(source, params)],
  returns: source.textOf(returnType?.typeAnnotation),
});

/** '[Symbol.dispose]' keeps its brackets; undefined for what only this library can name. */
function nameOf(source, { key, computed }) {
  if (!computed) return key.type === 'PrivateIdentifier' ? undefined : (key.name ?? String(key.value));
  const name = source.textOf(key);
  return name.startsWith('Symbol.') ? `[${name}]` : undefined;
}

const memberKinds = { method: 'method', constructor: 'constructor', get: 'accessor', set: 'accessor' };

function memberOf(source, node) {
  const name = node.key && nameOf(source, node);
  if (name === undefined || node.accessibility === 'private' || node.accessibility === 'protected') return undefined;
  const fn = node.value?.params ? node.value : node;
  const isFunction = Array.isArray(fn.params);
  return {
    name,
    kind: isFunction ? memberKinds[node.kind ?? 'method'] : 'property',
    isStatic: node.static === true,
    isSetter: node.kind === 'set',
    comment: source.commentOf(node),
    code: [source.textOf(node).replace(/;$/, '')],
    type: source.textOf(node.typeAnnotation?.typeAnnotation ?? fn.returnType?.typeAnnotation),
    ...(isFunction ? callable(source, fn) : {}),
  };
}

/** Overloads, and a getter with its setter, are one member with the first comment. */
function merge(members) {
  const all = new Map();
  for (const member of members) {
    const key = `${member.isStatic} ${member.name}`;
    const first = all.get(key);
    if (first === undefined) {
      all.set(key, member);
      continue;
    }
    first.comment ??= member.comment;
    if (!member.isSetter) first.params?.push(...(member.params ?? []));
    first.code.push(...member.code);
  }
  return [...all.values()];
}

const membersOf = (source, body) => merge(body.map((node) => memberOf(source, node)).filter(Boolean));

const declarations = {
  ClassDeclaration: (source, node) => ({
    kind: 'class',
    base: node.superClass?.name,
    members: membersOf(source, node.body.body),
    code: [source.text.slice(node.start, node.body.start).trim()],
  }),
  TSInterfaceDeclaration: (source, node) => ({
    kind: 'interface',
    base: node.extends?.[0]?.expression?.name,
    members: membersOf(source, node.body.body),
    code: [source.text.slice(node.start, node.body.start).trim()],
  }),
  TSDeclareFunction: (source, node) => ({ kind: 'function', code: [source.textOf(node)], ...callable(source, node) }),
  TSTypeAliasDeclaration: (source, node) => ({ kind: 'type', code: [source.textOf(node)] }),
  VariableDeclaration: (source, node) => ({ kind: 'constant', code: [source.textOf(node)] }),
};

/** The exports of all files that an entry takes its own from, by name. */
class Reader {
  #sources = new Map();

  source(file) {
    if (!this.#sources.has(file)) this.#sources.set(file, new Source(file));
    return this.#sources.get(file);
  }

  static #target(source, { value }) {
    return path.join(path.dirname(source.file), value.replace(/\.js$/, '.d.ts'));
  }

  /** What a file declares under a name, exported or not; followed into the file that it imports it from. */
  *#find(file, name) {
    const source = this.source(file);
    for (const node of source.body) {
      const declared = node.declaration ?? node;
      const own = declared.id?.name ?? declared.declarations?.[0]?.id.name;
      if (own === name && declarations[declared.type]) yield this.#item(source, node, declared, name);
      if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') continue;
      if (!node.source) continue;
      for (const { local, imported, exported } of node.specifiers) {
        if ((node.type === 'ImportDeclaration' ? local : exported).name !== name) continue;
        yield* this.#find(Reader.#target(source, node.source), (imported ?? local).name);
      }
    }
  }

  #item(source, node, declared, name) {
    const { name: area } = path.parse(path.dirname(source.file));
    const comment = source.commentOf(node);
    const item = { name, area, comment, ...declarations[declared.type](source, declared) };
    if (item.base) [item.extended] = this.#find(source.file, item.base);
    item.code = item.code.map((code) => code.replace(/^(export )?(declare )?/, '').replace(/;$/, ''));
    return item;
  }

  *exportsOf(file) {
    const source = this.source(file);
    for (const node of source.body) {
      if (node.type === 'ExportAllDeclaration' && !node.exported)
        yield* this.exportsOf(Reader.#target(source, node.source));
      if (node.type !== 'ExportNamedDeclaration') continue;
      const declared = node.declaration;
      const names = declared
        ? [declared.id?.name ?? declared.declarations[0].id.name]
        : node.specifiers.map(({ exported }) => exported.name);
      for (const name of names) {
        const found = [...this.#find(file, name)];
        if (found.length === 0) throw new Failure(`${file} exports ${name}, which is not to be found`);
        yield* found;
      }
    }
  }
}

/** An entry: its own comment, and each exported name once. */
export function readEntry(file) {
  const reader = new Reader();
  const items = new Map();
  for (const item of reader.exportsOf(file)) {
    const first = items.get(item.name);
    if (first === undefined) items.set(item.name, item);
    else if (first.kind === 'function' && !first.code.includes(item.code[0])) {
      first.comment ??= item.comment;
      first.params.push(...item.params);
      first.code.push(...item.code);
    }
  }
  const source = reader.source(file);
  return {
    name: path.basename(file, '.d.ts'),
    intro: parseComment(source.comments[0]?.value ?? ''),
    items: [...items.values()],
  };
}
