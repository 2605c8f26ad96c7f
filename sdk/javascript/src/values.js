// Values of attributes: JavaScript's on one side, the contract's on the other.
//
// A number is the contract's integer where it is one exactly: the host takes 2 for an attribute of type 'number', too.

import { Fault } from './fault.js';

const INTEGERS = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n };

export function lower(name, value) {
  switch (typeof value) {
    case 'string':
      return { tag: 'text', val: value };
    case 'boolean':
      return { tag: 'boolean', val: value };
    case 'bigint':
      if (value < INTEGERS.least || value > INTEGERS.greatest) {
        throw new RangeError(`${name}: ${value} is no 64-bit integer`);
      }
      return { tag: 'integer', val: value };
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError(`${name}: ${value} is no value of an attribute`);
      return Number.isSafeInteger(value) ? { tag: 'integer', val: BigInt(value) } : { tag: 'number', val: value };
    case 'object':
      // An array or an object; the host refuses any other document.
      if (value !== null) return { tag: 'structured', val: JSON.stringify(value) };
  }
  throw new TypeError(`${name}: ${String(value)} is no value of an attribute; to take one away, clear it`);
}

// What is read by name, with the type that the manifest declares, from `get`.
export class Reader {
  text(name) {
    return this.#read(name, 'text');
  }

  bigint(name) {
    return this.#read(name, 'integer');
  }

  integer(name) {
    const value = this.bigint(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw Fault.invalid(`${value} is too large a number here`, name);
    return number;
  }

  number(name) {
    return this.#read(name, 'number');
  }

  boolean(name) {
    return this.#read(name, 'boolean');
  }

  json(name) {
    const document = this.#read(name, 'structured');
    return document === undefined ? undefined : JSON.parse(document);
  }

  has(name) {
    return this.get(name) !== undefined;
  }

  // Another type than the one asked for is none: the host has checked the type, so that is a slip of the author's.
  #read(name, tag) {
    const value = this.get(name);
    return value?.tag === tag ? value.val : undefined;
  }
}
