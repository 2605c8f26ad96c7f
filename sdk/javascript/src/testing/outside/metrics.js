// Which names the manifest declares is not known here.

import { refuse, world } from '../world.js';

const failure = (message) => ({ code: 'failed', message });

export function count(name, by) {
  world.call('metrics.count', failure);
  if (by < 0n) throw new RangeError(`${name} cannot be counted down by ${-by}`);
  world.counters.set(name, (world.counters.get(name) ?? 0n) + by);
}

export function gauge(name, value) {
  world.call('metrics.gauge', failure);
  if (!Number.isFinite(value)) {
    refuse({ code: 'invalid', message: `the gauge ${name} is set to ${value}, which is no figure` });
  }
  world.gauges.set(name, value);
}

// Those which the test has set for the entity at that end.
export function readings(of) {
  world.call('metrics.readings', failure);
  const read = world.readings.get(at(of));
  if (read === undefined) refuse({ code: 'missing', message: 'there is no such machine, and no such device' });
  return Object.entries(read).map(([name, value]) => ({ name, value }));
}

function at(end) {
  const { location, source, target } = world.subject;
  return { subject: location, source, target }[end];
}

export class Usage {
  #used;

  // That which the test has set for the entity at that end.
  static read(of) {
    world.call('metrics.usage', failure);
    const used = world.usages.get(at(of));
    if (used === undefined) refuse({ code: 'missing', message: 'there is no such machine' });
    const usage = new Usage();
    usage.#used = used;
    return usage;
  }

  cpuTime() {
    return this.#figure('cpuTime');
  }

  memory() {
    return this.#figure('memory');
  }

  diskRead() {
    return this.#figure('diskRead');
  }

  diskWritten() {
    return this.#figure('diskWritten');
  }

  networkReceived() {
    return this.#figure('networkReceived');
  }

  networkSent() {
    return this.#figure('networkSent');
  }

  #figure(name) {
    return BigInt(this.#used[name] ?? 0);
  }
}
