// What an extension finds outside of itself while it is tested: one world, that of the last host that was made.

import { Fault } from '../fault.js';

const MASK = 2n ** 64n - 1n;

export class World {
  config = new Map();
  stores = new Map();
  log = [];
  counters = new Map();
  gauges = new Map();
  // What machines use, by the locations of their entities.
  usages = new Map();
  // The same, by the names of the contract.
  readings = new Map();
  // The entity that the extension is called for.
  subject = undefined;
  faults = [];
  // What the clocks show, in milliseconds.
  time = 0;
  // Who answers requests by HTTP.
  server = undefined;
  requests = [];
  random = 0n;
  made = 0;

  // A number that no other thing of this world has.
  next() {
    this.made += 1;
    return this.made;
  }

  ask(request) {
    this.requests.push(request);
    if (this.server === undefined) throw Fault.denied('the operator does not let the extension ask that server');
    return this.server(request);
  }

  // The same in each world, none like the one before.
  bytes(count) {
    const drawn = new DataView(new ArrayBuffer(Math.ceil(count / 8) * 8));
    for (let at = 0; at < count; at += 8) drawn.setBigUint64(at, this.#number(), true);
    return new Uint8Array(drawn.buffer, 0, count);
  }

  // Sebastiano Vigna's SplitMix64.
  #number() {
    this.random = (this.random + 0x9e3779b97f4a7c15n) & MASK;
    let mixed = ((this.random ^ (this.random >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return mixed ^ (mixed >> 31n);
  }

  // A call of a capability, which fails if it was told to.
  call(name, payload) {
    const at = this.faults.findIndex((fault) => fault.call === name);
    if (at < 0) return;
    const [{ message }] = this.faults.splice(at, 1);
    refuse(payload(message));
  }
}

export let world = new World();

export function begin() {
  world = new World();
  return world;
}

// As the generated functions of a component do.
export function refuse(payload) {
  throw Object.assign(new Error('the host refuses'), { payload });
}
