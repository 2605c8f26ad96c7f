// All that the SDK has, for host/cli/tests/e2e/javascript_sdk.rs: what a client says in attributes of each type comes
// back.

import { Change, Fault, config, extension, keyvalue, log, metrics } from 'occi-extension';
import { Volume } from 'occi:extension/volumes@0.1.0';

const LOUD = 'http://example.com/mirror#loud';

const TYPES = { text: 'text', integer: 'bigint', number: 'number', boolean: 'boolean', array: 'json' };

function mirror(shown) {
  const change = new Change();
  for (const [term, type] of Object.entries(TYPES)) {
    const value = shown[type](`com.example.mirror.${term}`);
    if (value === undefined) change.clear(`com.example.mirrored.${term}`);
    else change.set(`com.example.mirrored.${term}`, value);
  }
  return change;
}

// Writes so many keys with an empty value each, and counts what is there then.
function keep(subject, parameters) {
  const store = keyvalue.open('kept');
  for (let i = 0; i < parameters.integer('count'); i++) {
    const key = String(i).padStart(4, '0');
    store.set(key, new Uint8Array());
    if (store.get(key)?.length !== 0) throw Fault.failed('an empty value is none');
  }
  store.delete('0000');
  if (store.get('0000') !== undefined || store.has('0000')) throw Fault.failed('a deleted key has a value');
  return new Change().set('com.example.mirrored.keys', store.keys().length);
}

const WAYS = {
  store: () => keyvalue.open('no/such'),
  volume: () => Volume.open('subject'),
  figure: () => metrics.count('unknown'),
  usage: () => metrics.usage('subject'),
  readings: () => metrics.readings('subject'),
  slip: () => undefined.length,
  clock: () => new Date(),
  chance: () => Math.random(),
  recursion: function again() {
    return again() + 1;
  },
  loop: () => {
    for (;;);
  },
  memory: () => {
    for (const kept = []; ;) kept.push(new Uint8Array(1 << 20).fill(1));
  },
};

export default extension({
  kinds: {
    'http://example.com/mirror#mirror': {
      create(subject) {
        log.info(`${subject.location} is made`);
        metrics.count('made', 2);
        metrics.gauge('last', subject.number('com.example.mirror.number') ?? 0);
        return mirror(subject)
          .set('com.example.mirrored.loud', subject.mixins.includes(LOUD))
          .set('com.example.mirrored.greeting', config.get('greeting') ?? 'hello')
          .again(1000);
      },
      update: (subject, wanted) => mirror(wanted.over(subject)),
      observe: (subject, cause) => new Change().set('com.example.mirrored.cause', cause),
      migrate(subject, fromVersion) {
        throw Fault.unsupported(`there is no way from ${fromVersion}`);
      },
      act: {
        keep,
        refuse: (subject, parameters) => WAYS[parameters.text('how')](),
      },
    },
  },
});
