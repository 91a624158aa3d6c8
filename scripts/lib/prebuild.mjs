// Builds every shipped binary, each against the pinned headers of its Node, the same to the byte wherever it runs.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compileApart, sourcesHash, writePrebuildManifest } from './native.mjs';
import { ensureNode, nodes } from './nodes.mjs';
import { outputOf, run, say } from './run.mjs';
import { toolchain } from './toolchain.mjs';

export function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** mp.node, which every Node loads, is made with the oldest one's headers. */
const plan = nodes.map((node, index) => ({
  node,
  targets: index === 0 ? ['mp', 'tracker', 'fork'] : ['fork'],
  names: index === 0 ? ['mp.node', 'tracker', `fork-${node.abi}.node`] : [`fork-${node.abi}.node`],
}));

/** Fills `folder` with the binaries for a processor, and what they were made from. */
export function buildPrebuilds(folder, arch) {
  const { cxx, strip } = toolchain(arch);
  const sources = sourcesHash();
  const stage = mkdtempSync(path.join(tmpdir(), 'mp-prebuild-'));
  const binaries = {};
  mkdirSync(folder, { recursive: true });
  for (const { node, targets, names } of plan) {
    const { bin, version } = ensureNode(node);
    const nodedir = ensureNode(node, arch).home;
    say(`prebuild: ${names.join(', ')} for Node ${version}, ${arch}`);
    const made = compileApart(path.join(stage, version), { node: bin, nodedir, arch, targets });
    for (const name of names) {
      const file = path.join(folder, name);
      cpSync(path.join(made, name), file);
      run(strip, ['--strip-all', file]);
      binaries[name] = sha256(file);
    }
  }
  rmSync(stage, { recursive: true });
  const [compiler] = outputOf(cxx, ['--version']).split('\n');
  const manifest = { sources, compiler, nodes: nodes.map(({ version }) => version), binaries };
  writePrebuildManifest(folder, manifest);
  return manifest;
}
