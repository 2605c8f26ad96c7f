// An entity as a test sees it, and as the extension does while it is called.

import { lower } from '../values.js';

export class Entity {
  mixins = [];
  attributes = {};
  state = undefined;
  message = undefined;
  source = undefined;
  target = undefined;
  // Whether it comes to be in the operation of the call.
  isNew = false;
  // The time after which the last change asked to be observed, in milliseconds.
  again = undefined;

  constructor(kind, number) {
    this.kind = kind;
    this.id = `urn:uuid:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    this.location = `/test/${number}`;
  }

  copy() {
    return Object.assign(Object.create(Entity.prototype), this, {
      mixins: [...this.mixins],
      attributes: { ...this.attributes },
    });
  }

  // What holds when a change of the extension is committed. One that does not export what would be called changes nothing.
  apply({ set = [], clear = [], state, message, again } = {}) {
    for (const { name, value } of set) this.attributes[name] = raise(value);
    for (const name of clear) delete this.attributes[name];
    this.state = state ?? this.state;
    this.message = message ?? this.message;
    this.again = again === undefined ? undefined : Number(again);
  }

  // The host's view of it, lent for one call.
  lend() {
    let lent = true;
    const view = (answer) => (name) => {
      if (!lent) throw new Error('the subject is kept after the end of the call that it was lent for');
      return answer(name);
    };
    const handle = {
      id: view(() => this.id),
      location: view(() => this.location),
      kind: view(() => this.kind),
      mixins: view(() => [...this.mixins]),
      state: view(() => this.state),
      get: view((name) => (name in this.attributes ? lower(name, this.attributes[name]) : undefined)),
      attributes: view(() => list(this.attributes)),
      isNew: view(() => this.isNew),
      source: view(() => this.source),
      target: view(() => this.target),
    };
    return { handle, end: () => (lent = false) };
  }
}

export function list(attributes) {
  return Object.entries(attributes).map(([name, value]) => ({ name, value: lower(name, value) }));
}

function raise({ tag, val }) {
  if (tag === 'structured') return JSON.parse(val);
  return typeof val === 'bigint' && Number.isSafeInteger(Number(val)) ? Number(val) : val;
}
