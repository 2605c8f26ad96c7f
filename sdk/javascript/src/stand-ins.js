// JavaScript's clocks and randomness upon others: the host's in a component, and the test's in a test.

// Clocks that tell milliseconds.
export function clocks(wall, monotonic) {
  const moment = (given) => (given.length === 0 ? [wall()] : given);
  const date = new Proxy(Date, {
    apply: (target) => new target(wall()).toString(),
    construct: (target, given, made) => Reflect.construct(target, moment(given), made),
  });
  return [
    [Date, 'now', () => wall()],
    [performance, 'now', () => monotonic()],
    [globalThis, 'Date', date],
  ];
}

// A source of so many random bytes.
export function chance(bytes) {
  const crypto = {
    getRandomValues(array) {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
      return array;
    },
    // RFC 9562, 5.4.
    randomUUID() {
      const drawn = bytes(16);
      drawn[6] = (drawn[6] & 0x0f) | 0x40;
      drawn[8] = (drawn[8] & 0x3f) | 0x80;
      const digits = [...drawn].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
  // As many bits as a number has.
  const random = () => Number(new DataView(bytes(8).buffer).getBigUint64(0) >> 11n) / 2 ** 53;
  return [
    [Math, 'random', random],
    [globalThis, 'crypto', crypto],
  ];
}

// Puts each where it belongs; the answer undoes it.
export function place(standIns) {
  const before = standIns.map(([where, name]) => [where, name, Object.getOwnPropertyDescriptor(where, name)]);
  for (const [where, name, value] of standIns) {
    Object.defineProperty(where, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [where, name, descriptor] of before) {
      if (descriptor === undefined) delete where[name];
      else Object.defineProperty(where, name, descriptor);
    }
  };
}
