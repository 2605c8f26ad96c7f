import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Change, config, extension, keyvalue, log } from 'occi-extension';
import { Host } from 'occi-extension/testing';

// A host in which one call does what it is given.
function host(create) {
  const made = new Host(extension({ kinds: { k: { create } } }));
  return { made, call: () => made.create(made.resource('k')) };
}

test('keys are written, read, listed and deleted', () => {
  let seen;
  const { call } = host(() => {
    const store = keyvalue.open('things');
    for (const key of ['e', 'b', 'd', 'a', 'c']) store.setText(key, `${key} ä`);
    store.delete('b');
    store.delete('b');
    seen = [store.keys(), store.getText('d'), store.get('b'), store.has('b'), store.has('a'), keyvalue.open().keys()];
  });
  call();
  assert.deepEqual(seen, [['a', 'c', 'd', 'e'], 'd ä', undefined, false, true, []]);
});

test('what the host refuses is a fault', () => {
  const refused = host(() => void keyvalue.open('no/such'));
  assert.throws(refused.call, { code: 'missing' });
  for (const [failing, call] of [
    ['keyvalue.open', () => keyvalue.open()],
    ['keyvalue.set', () => keyvalue.open().setText('a', 'b')],
    ['keyvalue.get', () => keyvalue.open().get('a')],
    ['keyvalue.exists', () => keyvalue.open().has('a')],
    ['keyvalue.delete', () => keyvalue.open().delete('a')],
    ['keyvalue.keys', () => keyvalue.open().keys()],
    ['config.get', () => config.get('a')],
    ['config.all', () => config.all()],
  ]) {
    const { made, call: create } = host(() => void call());
    made.fail(failing, 'the disk is full');
    assert.throws(create, { code: 'failed', message: 'the disk is full' }, failing);
    create();
  }
});

test('what the operator has set, and what the operator reads', () => {
  const { made, call } = host(() => {
    log.warn(`${config.get('greeting')}, ${config.get('none')}, ${JSON.stringify(config.all())}`);
    return new Change();
  });
  made.configure('greeting', 'hello');
  call();
  assert.deepEqual(made.log(), [{ level: 'warn', message: 'hello, undefined, {"greeting":"hello"}' }]);
  assert.deepEqual(made.log(), []);
});
