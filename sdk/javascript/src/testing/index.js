// A host in memory, so that `node --test` runs an extension as it is written.
//
// It calls the extension as the server does, and applies what is answered. What the server does with the manifest (checks
// of types, of required and immutable attributes, of the states that an action allows) is not done here.
//
// While the extension is called, JavaScript's clocks and randomness are the world's.

import { Fault } from '../fault.js';
import { chance, clocks, place } from '../stand-ins.js';
import { Entity, list } from './entity.js';
import { begin } from './world.js';

export class Host {
  #extension;
  #world;
  #calls;
  #standIns;

  constructor(extension, { crashing = false } = {}) {
    this.#extension = extension;
    const world = (this.#world = begin());
    const clock = () => world.time;
    this.#standIns = [...clocks(clock, clock), ...chance((count) => world.bytes(count))];
    this.#calls = crashing ? 2 : 1;
  }

  resource(kind, attributes = {}, mixins = []) {
    return Object.assign(new Entity(kind, this.#world.next()), { attributes: { ...attributes }, mixins: [...mixins] });
  }

  link(kind, source, target, attributes = {}) {
    return Object.assign(this.resource(kind, attributes), { source: source.location, target: target.location });
  }

  configure(key, value) {
    this.#world.config.set(key, value);
  }

  serve(server) {
    this.#world.server = server;
  }

  requests() {
    return this.#world.requests.splice(0);
  }

  setTime(moment) {
    this.#world.time = Number(moment);
  }

  fail(call, message = `${call} fails`) {
    this.#world.faults.push({ call, message });
  }

  log() {
    return this.#world.log.splice(0);
  }

  counted(counter) {
    return Number(this.#world.counters.get(counter) ?? 0n);
  }

  gauge(gauge) {
    return this.#world.gauges.get(gauge);
  }

  setUsage(of, usage) {
    this.#world.usages.set(of.location, usage);
  }

  setReadings(of, readings) {
    this.#world.readings.set(of.location, { ...readings });
  }

  create(entity) {
    const made = entity.copy();
    try {
      for (const role of this.#roles(made)) made.apply(this.#call('lifecycle', 'create', role, made));
    } catch (fault) {
      this.delete(made);
      throw fault;
    }
    Object.assign(entity, made);
  }

  // The host sets what is wanted, then applies what the extension answers.
  update(entity, wanted) {
    const changes = this.#roles(entity).map((role) => this.#call('lifecycle', 'update', role, entity, list(wanted)));
    Object.assign(entity.attributes, wanted);
    changes.forEach((change) => entity.apply(change));
  }

  // A Mixin is added to what is there.
  associate(entity, mixin, attributes = {}) {
    const mixed = entity.copy();
    mixed.mixins.push(mixin);
    Object.assign(mixed.attributes, attributes);
    mixed.apply(this.#call('lifecycle', 'create', mixin, mixed));
    Object.assign(entity, mixed);
  }

  dissociate(entity, mixin) {
    this.#call('lifecycle', 'delete', mixin, entity);
    entity.mixins = entity.mixins.filter((other) => other !== mixin);
  }

  delete(entity) {
    for (const role of this.#roles(entity).reverse()) this.#call('lifecycle', 'delete', role, entity);
  }

  act(entity, action, parameters = {}) {
    const role = this.#roles(entity).find((role) => this.#extension.roles[role].actions.includes(action));
    entity.apply(this.#call('actions', 'act', role ?? entity.kind, entity, action, list(parameters)));
  }

  // The Kind first, and each sees what those before it have answered.
  observe(entity, cause) {
    for (const role of this.#roles(entity)) {
      entity.apply(this.#lend(entity, (lent) => this.#extension.observe?.observe(role, lent, cause)));
    }
  }

  migrate(entity, fromVersion) {
    for (const role of this.#roles(entity)) {
      entity.apply(this.#lend(entity, (lent) => this.#extension.migrate?.migrate(fromVersion, role, lent)));
    }
  }

  // The host calls an extension for its own Kinds and Mixins alone.
  #roles({ kind, mixins }) {
    return [kind, ...mixins].filter((role) => role in this.#extension.roles);
  }

  // An operation, which has one name however often the host calls.
  #call(name, method, role, entity, ...given) {
    const operation = `operation-${this.#world.next()}`;
    let answer;
    for (let i = 0; i < this.#calls; i++) {
      answer = this.#lend(entity, (lent) => this.#extension[name]?.[method](operation, role, lent, ...given));
    }
    return answer;
  }

  #lend(entity, call) {
    const { handle, end } = entity.lend();
    const undo = place(this.#standIns);
    this.#world.subject = entity;
    try {
      return call(handle);
    } catch ({ code, message, attribute }) {
      throw new Fault(code, message, attribute);
    } finally {
      undo();
      end();
    }
  }
}
