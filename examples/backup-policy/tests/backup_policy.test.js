import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Host } from 'occi-extension/testing';

import extension from '../src/backup_policy.js';

const POLICY = 'http://example.com/occi/backup#backup-policy';
const attribute = (name) => `com.example.backup.${name}`;
const [INTERVAL, KEEP, LAST, NEXT, OLDEST, DUE] = ['interval', 'keep', 'last', 'next', 'oldest', 'due'].map(attribute);

const DEFAULTS = { [INTERVAL]: '1d', [KEEP]: 7 };

function start(given = {}) {
  const host = new Host(extension);
  const storage = host.resource('http://schemas.ogf.org/occi/infrastructure#storage');
  host.associate(storage, POLICY, { ...DEFAULTS, ...given });
  return { host, storage };
}

test('without a backup one is due at once, and then one more each interval', () => {
  const { host, storage } = start({ [INTERVAL]: '2h' });
  assert.deepEqual([storage.attributes[DUE], storage.again, storage.attributes[NEXT]], [1, 7_200_000, undefined]);
  host.observe(storage, 'timer');
  assert.deepEqual([storage.attributes[DUE], storage.again], [2, 7_200_000]);
  assert.deepEqual(host.log(), [{ level: 'info', message: `${storage.location}: 2 due` }]);
  // What happens to the resource, or to the server, is no reason to back it up.
  for (const cause of ['event', 'restart']) host.observe(storage, cause);
  assert.equal(storage.attributes[DUE], 2);
});

test('who has made a backup says so, and the schedule follows', () => {
  const { host, storage } = start();
  host.update(storage, { [LAST]: '2026-11-28T07:00:00Z' });
  assert.deepEqual(
    [DUE, NEXT, OLDEST].map((name) => storage.attributes[name]),
    [0, '2026-11-29T07:00:00Z', '2026-11-22T07:00:00Z'],
  );
  host.observe(storage, 'timer');
  // The same once more is no other backup.
  host.update(storage, { [LAST]: '2026-11-28T07:00:00Z' });
  assert.equal(storage.attributes[DUE], 1);
  assert.throws(() => host.update(storage, { [LAST]: '2026-11-28T06:59:59Z' }), { code: 'conflict', attribute: LAST });
});

test('a policy is changed', () => {
  const { host, storage } = start({ [LAST]: '2026-11-28T07:00:00Z' });
  host.update(storage, { [INTERVAL]: '6h', [KEEP]: 2 });
  assert.deepEqual(
    [storage.attributes[NEXT], storage.attributes[OLDEST]],
    ['2026-11-28T13:00:00Z', '2026-11-28T01:00:00Z'],
  );
  assert.equal(storage.again, 6 * 3_600_000);
  assert.throws(() => host.update(storage, { [KEEP]: 1000, [INTERVAL]: '1w' }), { code: 'invalid', attribute: KEEP });
});

test('what cannot be is refused before there is anything', () => {
  const host = new Host(extension);
  const storage = host.resource('http://schemas.ogf.org/occi/infrastructure#storage');
  const wrong = { ...DEFAULTS, [INTERVAL]: 'daily' };
  assert.throws(() => host.associate(storage, POLICY, wrong), { code: 'invalid', attribute: INTERVAL });
  assert.deepEqual([storage.mixins, storage.attributes], [[], {}]);
});
