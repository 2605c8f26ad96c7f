import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { forComponent } from '../src/build/bundle.js';
import { compare, inspect } from '../src/build/inspect.js';
import { withManifest } from '../src/build/section.js';
import { world, writeWorld } from '../src/build/world.js';

const LAMP = 'http://example.com/occi/home#lamp';

const MANIFEST = `
[[kind]]
scheme = "http://example.com/occi/home#"
term = "lamp"
[[kind.action]]
term = "switch"
`;

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'occi-test-'))));
after(() => rm(folder, { recursive: true }));

async function source(text) {
  const file = join(folder, 'extension.js');
  await writeFile(file, text);
  return file;
}

test('what is used is imported, and nothing else', async () => {
  const entry = await source(`
    import { Change, extension, keyvalue, log } from 'occi-extension';
    import { Volume } from 'occi:extension/volumes@0.1.0';
    export default extension({ kinds: { '${LAMP}': { act: { switch() { log.info(Volume.open('subject').capacity()); } } } } });
  `);
  assert.deepEqual(await inspect(entry, MANIFEST), { exports: ['actions'], capabilities: [] });
  const { code, imports } = await forComponent(entry, ['actions'], []);
  assert.deepEqual(imports, ['occi:extension/volumes@0.1.0', 'wasi:logging/logging@0.1.0-draft']);
  assert.match(code, /there is no \$\{what\}.*add \[capabilities.clocks\].*add \[capabilities.random\]/s);
  const text = world({ imports, exports: ['actions'] });
  assert.match(text, /import wasi:logging\/logging@0\.1\.0-draft;/);
  assert.match(text, /export occi:extension\/actions@0\.1\.0;/);
});

test('what JavaScript itself stands upon is what the manifest asks for', async () => {
  const entry = await source(`
    import { extension } from 'occi-extension';
    export default extension({ kinds: { '${LAMP}': { act: { switch() {} } } } });
  `);
  const { capabilities } = await inspect(entry, `${MANIFEST}[capabilities.clocks]\n[capabilities.random]`);
  assert.deepEqual(capabilities, ['clocks', 'random']);
  const { code, imports } = await forComponent(entry, ['actions'], capabilities);
  assert.deepEqual(imports, [
    'wasi:clocks/monotonic-clock@0.2.12',
    'wasi:clocks/wall-clock@0.2.12',
    'wasi:random/random@0.2.12',
  ]);
  assert.doesNotMatch(code, /add \[capabilities/);
});

test('what is no extension is refused', async () => {
  await assert.rejects(inspect(await source('export const extension = 1;'), MANIFEST), /import "default"/);
  await assert.rejects(inspect(await source('export default {};'), MANIFEST), /export default/);
  const empty = `import { extension } from 'occi-extension'; export default extension({ kinds: { '${LAMP}': {} } });`;
  await assert.rejects(inspect(await source(empty), ''), /defines no such Kind/);
  await assert.rejects(inspect(await source(empty), MANIFEST.split('[[kind.action]]')[0]), /has no handlers/);
});

test('the code and the manifest say the same', () => {
  const roles = (...actions) => ({ [LAMP]: { actions } });
  const manifest = { [LAMP]: ['switch'], other: [] };
  assert.deepEqual(compare(roles('switch'), manifest), []);
  assert.match(compare(roles('switch', 'dim'), manifest).join(), /'dim' of .*the manifest does not define it/);
  assert.match(compare(roles(), manifest).join(), /'switch' of .*the code has no handler/);
  assert.match(compare({}, manifest).join(), /the code has no handler/);
  assert.match(compare({ ...roles('switch'), lmap: { actions: [] } }, manifest).join(), /handlers for lmap/);
});

test('a world stands on the whole contract', async () => {
  const wit = join(folder, 'wit');
  await writeWorld(wit, { imports: [], exports: ['lifecycle'] });
  assert.deepEqual((await readdir(join(wit, 'deps'))).sort(), [
    'occi-extension',
    ...['clocks', 'config', 'http', 'io', 'keyvalue', 'logging', 'random'].map((name) => `wasi-${name}`),
  ]);
  assert.match(await readFile(join(wit, 'deps/occi-extension/types.wit'), 'utf8'), /package occi:extension@/);
});

test('a world has a clock where it is asked for', async () => {
  for (const [imports, isThere] of [
    [['wasi:http/outgoing-handler@0.2.12'], false],
    [['wasi:clocks/monotonic-clock@0.2.12'], true],
  ]) {
    const wit = await mkdtemp(join(folder, 'wit-'));
    await writeWorld(wit, { imports, exports: ['lifecycle'] });
    const clock = await readFile(join(wit, 'deps/wasi-clocks/monotonic-clock.wit'), 'utf8');
    assert.match(clock, /type duration = u64;/);
    assert.equal(clock.includes('now: func'), isThere);
  }
});

test('the manifest is the last section of the component', () => {
  const component = Buffer.from('\0asm\x0d\0\x01\0', 'latin1');
  const manifest = 'ä'.repeat(100);
  const made = withManifest(component, manifest);
  // 1 + 13 + 200 bytes are 0b1_1010110: 0xd6 0x01.
  assert.deepEqual(made.subarray(0, 12), Buffer.concat([component, Buffer.of(0, 0xd6, 0x01, 13)]));
  assert.equal(made.subarray(12).toString(), `occi:manifest${manifest}`);
});
