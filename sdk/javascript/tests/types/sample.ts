// What the definitions let an author write, and what they do not.

import { Change, Fault, config, extension, http, keyvalue, log, metrics } from 'occi-extension';
import { Host } from 'occi-extension/testing';
import { Machine, Plan } from 'occi:extension/machines@0.1.0';
import { Volume } from 'occi:extension/volumes@0.1.0';

const lamp = extension({
  kinds: {
    'http://example.com/occi/home#lamp': {
      create(subject) {
        const watts: number | undefined = subject.integer('com.example.lamp.watts');
        if (watts === 0) throw Fault.invalid('no lamp has 0 W', 'com.example.lamp.watts');
        log.info(`${subject.id} in ${config.get('room') ?? 'no room'}`);
        keyvalue.open().setText(subject.id, 'made');
        return new Change().set('com.example.lamp.colours', ['red']).state('off').again(60_000);
      },
      update(subject, wanted) {
        const after: string | undefined = wanted.over(subject).text('com.example.lamp.colour');
        return after === undefined ? new Change().clear('com.example.lamp.colour') : undefined;
      },
      delete(subject) {
        keyvalue.open().delete(subject.id);
      },
      act: {
        switch: (subject, parameters) =>
          new Change().state(parameters.has('off') || subject.state === 'on' ? 'off' : 'on'),
      },
      observe: (_subject, cause) => (cause === 'timer' ? new Change().message('') : undefined),
    },
  },
});

const host = new Host(lamp, { crashing: true });
const one = host.resource('http://example.com/occi/home#lamp', { 'com.example.lamp.watts': 5n });
host.fail('keyvalue.set', 'the store is full');
host.serve((request) => new http.Response(request.method === 'GET' ? 200 : 405, { body: '{}' }));
host.setTime(new Date('2026-11-28'));
host.create(one);
const asked: string | undefined = host.requests()[0]?.headers['x-key'];
const answer: http.Response = new http.Request('GET', 'https://api.example.com/', { headers: { 'X-Key': 'a' } }).send();
// @ts-expect-error: a body is bytes or text
new http.Request('PUT', 'https://api.example.com/', { body: { a: 1 } });
const state: string | undefined = one.state;
metrics.count('queries', 2n);
const seconds: number = metrics.usage('source').cpuTime / 1000;
host.setUsage(one, { memory: 1 << 20 });
const read: number | undefined = metrics.readings('source')['disk_reads_total'];
host.setReadings(one, { vcpus: 2 });
// @ts-expect-error: there is no such end
metrics.usage('middle');

const plan = new Plan();
plan.memory(256n << 20n);
const machine = Machine.define('source', plan);
const device: string = machine.attachVolume(Volume.open('target'));
// @ts-expect-error: bytes are counted by a bigint
plan.memory(256);
// @ts-expect-error: a machine is defined or opened
new Machine();

// @ts-expect-error: no handler has that name
extension({ kinds: { 'http://example.com/occi/home#lamp': { created() {} } } });
extension({
  kinds: {
    'http://example.com/occi/home#lamp': {
      // @ts-expect-error: the host waits for nothing
      async create() {
        return new Change();
      },
    },
  },
});
// @ts-expect-error: no attribute has the value null
new Change().set('com.example.lamp.colour', null);
// @ts-expect-error: there is no such call to fail
host.fail('keyvalue.open_all');
