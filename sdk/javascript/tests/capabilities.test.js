import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Change, config, extension, keyvalue, log, metrics } from 'occi-extension';
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
    ['metrics.count', () => metrics.count('a')],
    ['metrics.gauge', () => metrics.gauge('a', 1)],
    ['metrics.usage', () => metrics.usage('subject')],
    ['metrics.readings', () => metrics.readings('subject')],
  ]) {
    const { made, call: create } = host(() => void call());
    made.fail(failing, 'the disk is full');
    assert.throws(create, { code: 'failed', message: 'the disk is full' }, failing);
    // Without a fault there is only no machine.
    if (['metrics.usage', 'metrics.readings'].includes(failing)) assert.throws(create, { code: 'missing' });
    else create();
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

test('what is counted, and what machines use', () => {
  const seen = [];
  const made = new Host(
    extension({
      kinds: {
        k: {
          create() {
            metrics.count('made');
            metrics.count('made', 2n);
            metrics.gauge('last', -0.5);
            for (const end of ['source', 'target']) seen.push(metrics.usage(end));
          },
          delete: () => metrics.gauge('last', Infinity),
        },
      },
    }),
  );
  const [one, other] = [made.resource('machine'), made.resource('machine')];
  made.setUsage(one, {
    cpuTime: 1500,
    memory: 1 << 20,
    diskRead: 1,
    diskWritten: 2,
    networkReceived: 3,
    networkSent: 4,
  });
  made.setUsage(other, { memory: 5 });
  assert.deepEqual([made.counted('made'), made.gauge('last')], [0, undefined]);
  made.create(made.link('k', one, other));
  assert.deepEqual([made.counted('made'), made.gauge('last')], [3, -0.5]);
  const none = { cpuTime: 0, memory: 5, diskRead: 0, diskWritten: 0, networkReceived: 0, networkSent: 0 };
  const used = { cpuTime: 1500, memory: 1 << 20, diskRead: 1, diskWritten: 2, networkReceived: 3, networkSent: 4 };
  assert.deepEqual(seen, [used, none]);
  assert.throws(() => made.delete(made.link('k', one, other)), { code: 'invalid' });
});

test('what is read of machines and devices', () => {
  const seen = [];
  const create = () => {
    for (const end of ['subject', 'source']) seen.push(metrics.readings(end));
    metrics.readings('target');
  };
  const made = new Host(extension({ kinds: { k: { create } } }));
  const machine = made.resource('machine');
  const link = made.link('k', machine, made.resource('volume'));
  made.setReadings(machine, { cpu_seconds_total: 1.5, vcpus: 2 });
  made.setReadings(link, { disk_reads_total: 3 });
  assert.throws(() => made.create(link), { code: 'missing' });
  assert.deepEqual(seen, [{ disk_reads_total: 3 }, { cpu_seconds_total: 1.5, vcpus: 2 }]);
});
