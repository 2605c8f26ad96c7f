import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Host } from 'occi-extension/testing';

import counter from './extension.js';

test('each call counts', () => {
  const host = new Host(counter);
  // The server has set what has a default.
  const one = host.resource('http://example.com/occi/{{name}}#{{name}}', { 'com.example.{{name}}.count': 0 });
  host.act(one, 'count');
  assert.equal(one.attributes['com.example.{{name}}.count'], 1);
});
