import assert from 'node:assert/strict';
import { test } from 'node:test';

import { INTERVAL, KEEP, LAST, policy, schedule } from '../src/policy.js';

// Attributes, read as the host has checked them.
const attributes = (interval, keep, last) => ({
  text: (name) => ({ [INTERVAL]: interval, [LAST]: last })[name],
  integer: (name) => ({ [KEEP]: keep })[name],
});

const planned = (...given) => schedule(policy(attributes(...given)));

test('a schedule follows from the last backup', () => {
  for (const [interval, keep, next, oldest] of [
    ['1s', 1, '2026-02-28T23:59:59Z', '2026-02-28T23:59:58Z'],
    ['90m', 2, '2026-03-01T01:29:58Z', '2026-02-28T22:29:58Z'],
    ['12h', 3, '2026-03-01T11:59:58Z', '2026-02-27T23:59:58Z'],
    ['1d', 7, '2026-03-01T23:59:58Z', '2026-02-22T23:59:58Z'],
    ['1w', 1, '2026-03-07T23:59:58Z', '2026-02-28T23:59:58Z'],
  ]) {
    assert.deepEqual(planned(interval, keep, '2026-02-28T23:59:58Z'), { next, oldest }, interval);
  }
});

test('an interval that is none', () => {
  for (const interval of ['', '0s', '01d', '1', 'd', '-1d', '1.5h', '1 d', '1D', '1d2h', '1y', '99999d']) {
    assert.throws(() => policy(attributes(interval, 1)), { code: 'invalid', attribute: INTERVAL }, interval);
  }
});

test('a history that goes back too far', () => {
  assert.equal(policy(attributes('365d', 10)).keep, 10);
  assert.throws(() => policy(attributes('365d', 11)), { attribute: KEEP, message: /keep 10 at most/ });
  assert.equal(policy(attributes('3650d', 1)).keep, 1);
});

test('a time that is none', () => {
  assert.equal(policy(attributes('1d', 1, '2028-02-29T00:00:00Z')).last, Date.UTC(2028, 1, 29));
  for (const last of [
    '',
    'now',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+01:00',
    '2026-01-01',
  ]) {
    assert.throws(() => policy(attributes('1d', 1, last)), { code: 'invalid', attribute: LAST }, last);
  }
});
