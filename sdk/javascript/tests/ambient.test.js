// Clocks, randomness and other servers, in the host in memory; host/cli/tests/e2e/javascript_sdk.rs has the real ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault, extension, http } from 'occi-extension';
import { Host } from 'occi-extension/testing';

// A host in which one call does what it is given.
function host(create) {
  const made = new Host(extension({ kinds: { k: { create: (subject) => void create(subject) } } }));
  return { made, call: () => made.create(made.resource('k')) };
}

test('clocks stand where the test sets them', () => {
  let seen;
  const { made, call } = host(() => {
    seen = [Date.now(), new Date().toISOString(), performance.now(), new Date('2026-11-28T12:00Z').getTime()];
    assert.ok(new Date() instanceof Date);
    assert.equal(Date(), new Date().toString());
  });
  call();
  assert.equal(seen[1], '1970-01-01T00:00:00.000Z');
  const noon = new Date('2026-11-28T12:00:00.250Z');
  made.setTime(noon);
  call();
  assert.deepEqual(seen, [Number(noon), noon.toISOString(), Number(noon), Number(noon) - 250]);
  assert.ok(Date.now() > 0 && performance.now() < Date.now(), 'the test has its own');
});

test('chance is the same in each test and not in each call', () => {
  function draw() {
    const drawn = [];
    const { call } = host(() => {
      drawn.push(Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint16Array(6)).join());
    });
    call();
    call();
    return drawn;
  }
  const first = draw();
  assert.deepEqual(draw(), first);
  assert.equal(new Set(first).size, 6);
  assert.ok(first[0] >= 0 && first[0] < 1);
  assert.match(first[1], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('the test plays the servers', () => {
  let answer;
  const { made, call } = host(() => {
    const parts = { headers: { 'X-Key': '{{key}}' }, body: '[1]' };
    answer = new http.Request('PUT', 'https://api.example.com/a', parts).send();
  });
  made.serve(() => new http.Response(202, { headers: { Location: '/b' }, body: '[2, 3]' }));
  call();
  assert.deepEqual([answer.status, answer.headers, answer.json()], [202, { location: '/b' }, [2, 3]]);
  const [{ method, url, headers, body }] = made.requests();
  assert.deepEqual([method, url, headers], ['PUT', 'https://api.example.com/a', { 'x-key': '{{key}}' }]);
  assert.deepEqual(body, new TextEncoder().encode('[1]'));
  assert.deepEqual(made.requests(), []);
});

test('what is not answered is a fault', () => {
  const { made, call } = host(() => new http.Request('GET', 'https://api.example.com/').send());
  assert.throws(call, { code: 'denied' });
  made.serve(() => {
    throw Fault.unavailable('nobody is there');
  });
  assert.throws(call, { code: 'unavailable' });
  for (const body of [Uint8Array.of(0xff), '{']) {
    assert.throws(() => new http.Response(200, { body }).json(), { code: 'failed' });
  }
});
