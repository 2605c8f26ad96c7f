import { refuse, world } from '../world.js';

// The host's own page is larger; this one shows whoever forgets to ask for the next.
const PAGE = 3;

const NAME = /^[A-Za-z0-9_.-]*$/;

const failure = (message) => ({ tag: 'other', val: message });

export function open(name) {
  world.call('keyvalue.open', failure);
  if (!NAME.test(name)) refuse({ tag: 'no-such-store' });
  if (!world.stores.has(name)) world.stores.set(name, new Map());
  return new Bucket(world.stores.get(name));
}

class Bucket {
  #values;

  constructor(values) {
    this.#values = values;
  }

  get(key) {
    world.call('keyvalue.get', failure);
    return this.#values.get(key)?.slice();
  }

  set(key, value) {
    world.call('keyvalue.set', failure);
    this.#values.set(key, Uint8Array.from(value));
  }

  delete(key) {
    world.call('keyvalue.delete', failure);
    this.#values.delete(key);
  }

  exists(key) {
    world.call('keyvalue.exists', failure);
    return this.#values.has(key);
  }

  listKeys(cursor = '') {
    world.call('keyvalue.keys', failure);
    const keys = [...this.#values.keys()].filter((key) => key > cursor).sort();
    const page = keys.slice(0, PAGE);
    return { keys: page, cursor: page.length < keys.length ? page.at(-1) : undefined };
  }
}
