#!/usr/bin/env node
// The command of this package: see USAGE.

import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { build, replace } from '../src/build/build.js';

const USAGE = `Usage: occi-extension build [FOLDER] [--output FILE] [--cache CACHE]

Makes one file, the component with its manifest inside, of a folder that has a manifest.toml and a package.json, whose
"main" is the extension's code.

  FOLDER           the folder; without it, the one that you are in
  --output FILE    the file to make; without it, FOLDER's name with .wasm, in the folder that you are in
  --cache CACHE    a folder of this extension's own, in which its component is kept as long as it would be the same`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { output: { type: 'string' }, cache: { type: 'string' } },
  });
  const [command, folder = '.', ...others] = positionals;
  if (command !== 'build' || others.length > 0) throw new Error(USAGE);
  const file = values.output ?? `${basename(resolve(folder))}.wasm`;
  const { extension, imports, exports } = await build(folder, values);
  await replace(file, extension);
  console.log(`${file}: ${(extension.length / 1e6).toFixed(1)} MB`);
  console.log(`exports ${exports.join(', ')}`);
  console.log(`imports ${imports.join(', ') || 'nothing'}`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
