// Attributes that come with a call: the parameters of an action, or those that a client wants to change.

import { Reader } from './values.js';

export class Attributes extends Reader {
  #values;

  constructor(list) {
    super();
    this.#values = new Map(list.map(({ name, value }) => [name, value]));
  }

  get names() {
    return [...this.#values.keys()];
  }

  get(name) {
    return this.#values.get(name);
  }

  over(shown) {
    return new Updated(this, shown);
  }
}

class Updated extends Reader {
  #wanted;
  #shown;

  constructor(wanted, shown) {
    super();
    this.#wanted = wanted;
    this.#shown = shown;
  }

  get(name) {
    return this.#wanted.get(name) ?? this.#shown.get(name);
  }
}
