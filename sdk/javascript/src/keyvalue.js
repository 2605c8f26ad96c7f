// Small state of the extension's own, kept for each tenant: the capability `keyvalue`.

import * as outside from '#outside/keyvalue';
import { Fault } from './fault.js';

export function open(name = '') {
  return new Store(asked(() => outside.open(name)));
}

class Store {
  #bucket;

  constructor(bucket) {
    this.#bucket = bucket;
  }

  get(key) {
    return asked(() => this.#bucket.get(key));
  }

  set(key, value) {
    asked(() => this.#bucket.set(key, value));
  }

  getText(key) {
    const value = this.get(key);
    return value === undefined ? undefined : new TextDecoder().decode(value);
  }

  setText(key, text) {
    this.set(key, new TextEncoder().encode(text));
  }

  has(key) {
    return asked(() => this.#bucket.exists(key));
  }

  delete(key) {
    asked(() => this.#bucket.delete(key));
  }

  keys() {
    const keys = [];
    let cursor;
    do {
      const page = asked(() => this.#bucket.listKeys(cursor));
      keys.push(...page.keys);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return keys;
  }
}

// WASI's error as a fault.
function asked(question) {
  try {
    return question();
  } catch (thrown) {
    switch (thrown?.payload?.tag) {
      case 'no-such-store':
        throw Fault.missing('there is no key-value store of that name');
      case 'access-denied':
        throw Fault.denied('the extension may not use that key-value store');
      default:
        throw Fault.failed(thrown?.payload?.val ?? String(thrown));
    }
  }
}
