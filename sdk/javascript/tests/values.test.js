import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Change, extension } from 'occi-extension';
import { Host } from 'occi-extension/testing';

const lowered = (value) => new Change().set('a', value).lower().set[0].value;

test('values as the contract has them', () => {
  assert.deepEqual(lowered('x'), { tag: 'text', val: 'x' });
  assert.deepEqual(lowered(true), { tag: 'boolean', val: true });
  assert.deepEqual(lowered(2), { tag: 'integer', val: 2n });
  assert.deepEqual(lowered(2.5), { tag: 'number', val: 2.5 });
  assert.deepEqual(lowered(1e300), { tag: 'number', val: 1e300 });
  assert.deepEqual(lowered(-(2n ** 63n)), { tag: 'integer', val: -(2n ** 63n) });
  assert.deepEqual(lowered([1, { b: null }]), { tag: 'structured', val: '[1,{"b":null}]' });
});

test('what is no value is refused where it is set', () => {
  for (const value of [null, undefined, NaN, Infinity, 2n ** 63n, Symbol('x'), () => {}]) {
    assert.throws(() => new Change().set('com.example.a', value), /com\.example\.a/);
  }
  for (const time of [-1, NaN, 'soon', Infinity]) assert.throws(() => new Change().again(time), RangeError);
});

test('the last word on an attribute holds', () => {
  const change = new Change().set('a', 1).clear('a').clear('b').set('b', 1).set('b', 2).again(0.5);
  const { set, clear, again } = change.lower();
  assert.deepEqual(set, [{ name: 'b', value: { tag: 'integer', val: 2n } }]);
  assert.deepEqual([clear, again], [['a'], 1n]);
});

test('attributes are read with their type', () => {
  const large = 2n ** 53n;
  const attributes = { text: 'x', integer: 2, large, number: 2.5, boolean: false, json: { a: [1] } };
  let read;
  const host = new Host(
    extension({
      kinds: {
        k: {
          create(subject) {
            read = ['text', 'integer', 'number', 'boolean', 'json'].map((type) => subject[type](type));
            read.push(subject.bigint('large'), subject.text('integer'), subject.number('none'), subject.has('boolean'));
            read.push(subject.names.length);
          },
          delete: (subject) => void subject.integer('large'),
        },
      },
    }),
  );
  const entity = host.resource('k', attributes);
  host.create(entity);
  assert.deepEqual(read, ['x', 2, 2.5, false, { a: [1] }, large, undefined, undefined, true, 6]);
  assert.throws(() => host.delete(entity), { code: 'invalid', attribute: 'large' });
});
