// The entity that a call is about, and the call's own words on it.

import { Reader } from './values.js';

export class Subject extends Reader {
  #entity;

  constructor(entity, role, operation) {
    super();
    this.#entity = entity;
    this.role = role;
    this.operation = operation;
  }

  get id() {
    return this.#entity.id();
  }

  get location() {
    return this.#entity.location();
  }

  get kind() {
    return this.#entity.kind();
  }

  get mixins() {
    return this.#entity.mixins();
  }

  get state() {
    return this.#entity.state();
  }

  get isNew() {
    return this.#entity.isNew();
  }

  get source() {
    return this.#entity.source();
  }

  get target() {
    return this.#entity.target();
  }

  get names() {
    return this.#entity.attributes().map(({ name }) => name);
  }

  get(name) {
    return this.#entity.get(name);
  }
}
