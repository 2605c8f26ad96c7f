// What an extension finds outside of itself while it is tested: one world, that of the last host that was made.

export class World {
  config = new Map();
  stores = new Map();
  log = [];
  faults = [];
  made = 0;

  // A number that no other thing of this world has.
  next() {
    this.made += 1;
    return this.made;
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
