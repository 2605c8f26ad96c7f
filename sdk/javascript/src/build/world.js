// The world of an extension: what it imports and exports, upon the contract in wit/.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The contract stands once in the repository, so this package is used from there.
const CONTRACT = fileURLToPath(new URL('../../../../wit', import.meta.url));

export const WORLD = 'extension';

export function world({ imports, exports }) {
  const items = [
    ...imports.map((name) => `import ${name};`),
    ...exports.map((name) => `export occi:extension/${name}@0.1.0;`),
  ];
  return `package occi:javascript;\n\nworld ${WORLD} {\n${items.map((item) => `    ${item}\n`).join('')}}\n`;
}

// A folder with the world and all that it stands on.
export async function writeWorld(folder, text) {
  const dependencies = join(folder, 'deps');
  await mkdir(dependencies, { recursive: true });
  await cp(join(CONTRACT, 'deps'), dependencies, { recursive: true });
  await cp(CONTRACT, join(dependencies, 'occi-extension'), {
    recursive: true,
    filter: (source) => source !== join(CONTRACT, 'deps'),
  });
  await writeFile(join(folder, 'world.wit'), text);
}
