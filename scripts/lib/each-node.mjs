// The supported Nodes with the binaries that fit the sources: what matrix and soak run on.
import path from 'node:path';
import { binaryNames, compileApart, isShipped, prebuilds, sourcesHash } from './native.mjs';
import { ensureNode, nodes } from './nodes.mjs';
import { Failure, root, say } from './run.mjs';

const majorOf = (version) => version.split('.')[0];

/** By major versions ('22'), all when there are none; '--others' stands for all but the one that runs this. */
export function chosenNodes(majors) {
  if (majors.length === 0) return nodes;
  if (majors[0] === '--others') return nodes.filter(({ abi }) => abi !== process.versions.modules);
  return majors.map((major) => {
    const node = nodes.find(({ version }) => majorOf(version) === major);
    if (node === undefined) throw new Failure(`Node ${major} is not in scripts/lib/nodes.mjs`);
    return node;
  });
}

/** The shipped binaries where they fit these sources, else some made for the purpose. */
function binariesFor(node, { bin, home }) {
  const hash = sourcesHash();
  if (binaryNames(node.abi).every((name) => isShipped(name, hash))) return prebuilds;
  say(`compiling the addons for Node ${node.version}`);
  return compileApart(path.join(root, 'out/matrix', node.version), { node: bin, nodedir: home });
}

/** One of them ready to run: `bin` is the program, `env` makes the library load what was built for it. */
export function prepareNode(node) {
  const installed = ensureNode(node);
  return { ...installed, env: { MP_BINARY_DIR: binariesFor(node, installed) } };
}
