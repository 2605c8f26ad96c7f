import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Change, Fault, extension } from 'occi-extension';
import { Host } from 'occi-extension/testing';

const LAMP = 'http://example.com/occi/home#lamp';
const DIMMED = 'http://example.com/occi/home#dimmed';
const WATTS = 'com.example.lamp.watts';

const one = (handlers) => extension({ kinds: { [LAMP]: handlers } });

test('what handlers need is exported, and nothing else', () => {
  const exports = (handlers) => Object.keys(one(handlers)).filter((name) => name !== 'roles');
  assert.deepEqual(exports({}), []);
  assert.deepEqual(exports({ delete() {} }), ['lifecycle']);
  assert.deepEqual(exports({ act: { switch() {} } }), ['actions']);
  assert.deepEqual(exports({ migrate() {}, observe() {}, create() {} }), ['lifecycle', 'observe', 'migrate']);
  assert.deepEqual(one({ act: { switch() {} } }).roles, { [LAMP]: { actions: ['switch'] } });
});

test('a handler that would never be called is refused', () => {
  assert.throws(() => one({ created() {} }), /there is no handler 'created'/);
  assert.throws(() => one({ create: 'now' }), /'create' is no function/);
  assert.throws(() => one({ act: { switch: true } }), /'act' is no function/);
});

test('the life of an entity with a Mixin', () => {
  const seen = [];
  const handlers = (name) => ({
    create: (subject) => void seen.push(`create ${name} ${subject.role === subject.kind}`),
    update: (subject, wanted) =>
      void seen.push(`update ${name} ${wanted.names} ${wanted.over(subject).integer(WATTS)}`),
    delete: () => void seen.push(`delete ${name}`),
    observe: (subject, cause) => void seen.push(`observe ${name} ${cause} '${subject.operation}'`),
    migrate: (subject, from) => void seen.push(`migrate ${name} ${from}`),
  });
  const host = new Host(extension({ kinds: { [LAMP]: handlers('lamp') }, mixins: { [DIMMED]: handlers('dimmed') } }));
  const lamp = host.resource(LAMP, { [WATTS]: 5 }, ['http://example.com/other#tag']);
  host.create(lamp);
  host.associate(lamp, DIMMED);
  host.update(lamp, { 'com.example.lamp.colour': 'red' });
  host.observe(lamp, 'timer');
  host.migrate(lamp, '0.0.9');
  host.dissociate(lamp, DIMMED);
  host.delete(lamp);
  assert.deepEqual(seen, [
    'create lamp true',
    'create dimmed false',
    'update lamp com.example.lamp.colour 5',
    'update dimmed com.example.lamp.colour 5',
    "observe lamp timer ''",
    "observe dimmed timer ''",
    'migrate lamp 0.0.9',
    'migrate dimmed 0.0.9',
    'delete dimmed',
    'delete lamp',
  ]);
});

test('a change is applied', () => {
  const host = new Host(
    one({
      create: () => new Change().set(WATTS, 5).state('off').message('new').again(1500),
      act: { switch: (subject, parameters) => new Change().clear(WATTS).state(parameters.text('to')) },
    }),
  );
  const lamp = host.resource(LAMP);
  host.create(lamp);
  assert.deepEqual([lamp.attributes, lamp.state, lamp.message, lamp.again], [{ [WATTS]: 5 }, 'off', 'new', 1500]);
  host.act(lamp, 'switch', { to: 'on' });
  assert.deepEqual([lamp.attributes, lamp.state, lamp.again], [{}, 'on', undefined]);
  assert.throws(() => host.act(lamp, 'sing'), { code: 'unsupported' });
});

test('what is refused leaves the entity as it was', () => {
  const deleted = [];
  const host = new Host(
    one({
      create() {
        throw Fault.invalid('too many', WATTS);
      },
      delete: (subject) => void deleted.push(subject.id),
    }),
  );
  const lamp = host.resource(LAMP);
  assert.throws(() => host.create(lamp), { code: 'invalid', message: 'too many', attribute: WATTS });
  assert.deepEqual(deleted, [lamp.id]);
});

test('what else is thrown or answered is a fault that says where', () => {
  const refused = (create) => {
    const host = new Host(one({ create }));
    try {
      host.create(host.resource(LAMP));
    } catch (fault) {
      return [fault.code, fault.message];
    }
    return undefined;
  };
  const [code, message] = refused(() => undefined.length);
  assert.equal(code, 'failed');
  assert.match(message, /^create of .*#lamp: TypeError/);
  assert.match(refused(async () => new Change())[1], /is a promise/);
  assert.match(refused(() => ({ state: 'on' }))[1], /which is no Change/);
  // As the functions throw it that a component's capabilities are called by.
  const payload = { code: 'missing', message: 'no such volume', attribute: undefined };
  assert.deepEqual(
    refused(() => {
      throw Object.assign(new Error(), { payload });
    }),
    ['missing', 'no such volume'],
  );
});

test('after a crash a call comes again with the same operation', () => {
  const seen = [];
  const host = new Host(one({ create: (subject) => void seen.push(subject.operation) }), { crashing: true });
  host.create(host.resource(LAMP));
  host.create(host.resource(LAMP));
  assert.equal(seen.length, 4);
  assert.equal(new Set(seen).size, 2);
});

test('the subject is lent for one call', () => {
  let kept;
  const host = new Host(one({ create: (subject) => void (kept = subject) }));
  const lamp = host.resource(LAMP);
  host.create(lamp);
  assert.throws(() => kept.id, /kept after the end/);
});
