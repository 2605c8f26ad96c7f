// One file of an extension and of what it imports, this SDK included.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const SDK = fileURLToPath(new URL('../index.js', import.meta.url));
const AMBIENT = fileURLToPath(new URL('../ambient.js', import.meta.url));

// What has no namespace in the SDK: JavaScript's own stand upon them, wherever the manifest asks for them.
const LENT = ['clocks', 'random'];

// The interfaces of the host, such as `wasi:logging/logging@0.1.0-draft`.
const INTERFACE = /^(occi|wasi):/;

// For the component: the code, and the host's interfaces that it imports. One that is imported and not used is left out,
// so the manifest need not ask for it.
export function forComponent(entry, exported, capabilities) {
  const ambient = LENT.map((name) => `../${name}/${capabilities.includes(name) ? 'lent' : 'absent'}.js`);
  const contents = `
    ${[AMBIENT, ...ambient].map((path) => `import ${JSON.stringify(path)};`).join('\n')}
    import extension from ${JSON.stringify(entry)};
    export const { ${exported.join(', ')} } = extension;
  `;
  return bundle({ contents, conditions: ['occi-component'], platform: 'neutral', target: 'es2023' }, (path) => ({
    path,
    external: true,
    sideEffects: false,
  }));
}

// For a look at it here, where there is no host.
export async function forNode(entry) {
  const contents = `export { default } from ${JSON.stringify(entry)};`;
  const { code } = await bundle({ contents, platform: 'node', target: 'node18' }, (path) => ({
    path,
    namespace: 'host',
  }));
  return code;
}

async function bundle({ contents, ...options }, resolveInterface) {
  const host = {
    name: 'host',
    setup(build) {
      build.onResolve({ filter: INTERFACE }, ({ path }) => resolveInterface(path));
      build.onLoad({ filter: /.*/, namespace: 'host' }, () => ({ contents: 'module.exports = {}' }));
    },
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    // The SDK that builds is the one that is built in.
    alias: { 'occi-extension': SDK },
    bundle: true,
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins: [host],
    ...options,
  });
  const [{ imports }] = Object.values(metafile.outputs);
  return { code: outputFiles[0].text, imports: [...new Set(imports.map(({ path }) => path))].sort() };
}
