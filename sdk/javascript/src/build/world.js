// The world of an extension: what it imports and exports, upon the contract in wit/.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The contract stands once in the repository, so this package is used from there.
const CONTRACT = fileURLToPath(new URL('../../../../wit', import.meta.url));

// `wasi:http` has a type of this clock's. A component imports all functions of what its world has, used or not, so where the
// manifest asks for no clock the world has that type alone.
const CLOCK = 'wasi:clocks/monotonic-clock@0.2.12';
const TYPE_OF_CLOCK = `package wasi:clocks@0.2.12;

interface monotonic-clock {
    @since(version = 0.2.0)
    type duration = u64;
}
`;

export const WORLD = 'extension';

export function world({ imports, exports }) {
  const items = [
    ...imports.map((name) => `import ${name};`),
    ...exports.map((name) => `export occi:extension/${name}@0.1.0;`),
  ];
  return `package occi:javascript;\n\nworld ${WORLD} {\n${items.map((item) => `    ${item}\n`).join('')}}\n`;
}

// A folder with the world and all that it stands on.
export async function writeWorld(folder, { imports, exports }) {
  const dependencies = join(folder, 'deps');
  await mkdir(dependencies, { recursive: true });
  await cp(join(CONTRACT, 'deps'), dependencies, { recursive: true });
  await cp(CONTRACT, join(dependencies, 'occi-extension'), {
    recursive: true,
    filter: (source) => source !== join(CONTRACT, 'deps'),
  });
  if (!imports.includes(CLOCK)) await writeFile(join(dependencies, 'wasi-clocks/monotonic-clock.wit'), TYPE_OF_CLOCK);
  await writeFile(join(folder, 'world.wit'), world({ imports, exports }));
}
