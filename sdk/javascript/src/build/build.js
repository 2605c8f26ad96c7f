// From a folder with a manifest and code to one file.

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { componentize, version } from '@bytecodealliance/componentize-js';

import { forComponent } from './bundle.js';
import { inspect } from './inspect.js';
import { withManifest } from './section.js';
import { WORLD, writeWorld } from './world.js';

// What the engine would import by itself: it has versions of its own of what the host lends, and the host serves no console.
const ABSENT = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];

// Builds the extension in a folder. With a folder for it, the component is made anew only where it would be another one:
// that takes many times as long as all else.
export async function build(folder, { cache } = {}) {
  const manifest = await readFile(join(folder, 'manifest.toml'), 'utf8');
  const { main = 'index.js' } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const entry = resolve(folder, main);
  const { exports, capabilities } = await inspect(entry, manifest);
  const { code, imports } = await forComponent(entry, exports, capabilities);
  const parts = { code, world: { imports, exports } };
  const component = await (cache === undefined ? make(parts) : kept(cache, parts));
  return { extension: withManifest(component, manifest), imports, exports };
}

async function kept(cache, parts) {
  const component = join(cache, 'component.wasm');
  const madeFrom = join(cache, 'made-from');
  const digest = createHash('sha256')
    .update(JSON.stringify([version, ABSENT, parts]))
    .digest('hex');
  if ((await readIfThere(madeFrom)) === digest) return readFile(component);
  const made = await make(parts);
  await mkdir(cache, { recursive: true });
  // The digest goes first and comes last, so that it never stands beside another component.
  await rm(madeFrom, { force: true });
  await replace(component, made);
  await replace(madeFrom, digest);
  return made;
}

async function make({ code, world }) {
  const folder = await mkdtemp(join(tmpdir(), 'occi-extension-'));
  try {
    const sourcePath = join(folder, 'extension.js');
    const witPath = join(folder, 'wit');
    await writeFile(sourcePath, code);
    await writeWorld(witPath, world);
    const made = await componentize({ sourcePath, witPath, worldName: WORLD, disableFeatures: ABSENT });
    return made.component;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readIfThere(file) {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

// Whoever reads the file sees the old one or the new one.
export async function replace(file, bytes) {
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
}
