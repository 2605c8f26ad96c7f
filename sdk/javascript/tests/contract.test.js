// What is written by hand here and stands in wit/ is the same.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { extension } from 'occi-extension';

import * as metrics from '../src/testing/outside/metrics.js';

const read = (path) => readFile(new URL(path, import.meta.url), 'utf8');
const wit = (name) => read(`../../../wit/${name}.wit`);

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

test('all that the host can call is exported', async () => {
  const called = all(await wit('world'), /export ([a-z]+);/g);
  const handlers = { create() {}, act: { switch() {} }, observe() {}, migrate() {} };
  const { roles, ...exported } = extension({ kinds: { a: handlers } });
  assert.deepEqual(Object.keys(exported).sort(), [...new Set(called)].sort());
  for (const [name, functions] of Object.entries(exported)) {
    assert.deepEqual(Object.keys(functions).sort(), all(await wit(name), /^ +([a-z-]+): func/gm).sort(), name);
  }
});

test('the definitions have every function of the capabilities', async () => {
  const modules = (await read('../capabilities.d.ts')).split(/^declare module /m);
  for (const name of ['entities', 'folder', 'images', 'machines', 'volumes', 'networks']) {
    const module = modules.find((text) => text.startsWith(`'occi:extension/${name}@`));
    const functions = all(await wit(name), /^ +([a-z-]+): (?:static )?func/gm).map(camel);
    assert.deepEqual(all(module, /^ +(?:export function |static )?(\w+)\(.*\): /gm), functions, name);
  }
});

test('what stands in for the figures has every function of theirs', async () => {
  const { Usage, ...functions } = metrics;
  const methods = [...Object.getOwnPropertyNames(Usage.prototype), 'read'].filter((name) => name !== 'constructor');
  const wanted = all(await wit('metrics'), /^ +([a-z-]+): (?:static )?func/gm).map(camel);
  assert.deepEqual([...methods, ...Object.keys(functions)].sort(), wanted.sort());
});

test('the contract has the version that is built for', async () => {
  const [version] = all(await wit('types'), /^package occi:extension@([0-9.]+);/gm);
  for (const file of ['../capabilities.d.ts', '../src/build/world.js', '../src/outside/metrics.js']) {
    const named = all(await read(file), /occi:extension\/[^@']+@([0-9.]+)/g);
    assert.deepEqual([...new Set(named)], [version], file);
  }
  for (const file of ['outside/logging', 'outside/keyvalue', 'outside/config', 'clocks/lent', 'random/lent']) {
    for (const specifier of all(await read(`../src/${file}.js`), /from '(wasi:[^']+)'/g)) {
      assert.ok((await wit('world')).includes(`import ${specifier};`), specifier);
    }
  }
  // Its types come along.
  const [handler, types] = all(await read('../src/outside/http.js'), /from '(wasi:[^']+)'/g);
  assert.ok((await wit('world')).includes(`import ${handler};`), handler);
  assert.equal(types, handler.replace('outgoing-handler', 'types'));
});
