// What an extension proposes: the host checks it against the manifest and commits it, or refuses it whole.

import { lower } from './values.js';

export class Change {
  #set = new Map();
  #clear = new Set();
  #state;
  #message;
  #again;

  // The last word on an attribute is the one that holds.
  set(name, value) {
    this.#clear.delete(name);
    this.#set.set(name, lower(name, value));
    return this;
  }

  clear(name) {
    this.#set.delete(name);
    this.#clear.add(name);
    return this;
  }

  state(name) {
    this.#state = String(name);
    return this;
  }

  message(text) {
    this.#message = String(text);
    return this;
  }

  again(milliseconds) {
    if (!(milliseconds >= 0 && milliseconds <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`${milliseconds} is no time in milliseconds`);
    }
    this.#again = BigInt(Math.ceil(milliseconds));
    return this;
  }

  // As the contract has it.
  lower() {
    return {
      set: [...this.#set].map(([name, value]) => ({ name, value })),
      clear: [...this.#clear],
      state: this.#state,
      message: this.#message,
      again: this.#again,
    };
  }
}
