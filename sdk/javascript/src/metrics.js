// Figures: what machines use, and what the extension counts for the operator: the capability `metrics`.

import * as outside from '#outside/metrics';
import { Fault } from './fault.js';

export function count(counter, by = 1) {
  asked(() => outside.count(counter, BigInt(by)));
}

export function gauge(gauge, value) {
  asked(() => outside.gauge(gauge, value));
}

export function usage(of) {
  const read = asked(() => outside.Usage.read(of));
  return {
    cpuTime: Number(read.cpuTime()),
    memory: Number(read.memory()),
    diskRead: Number(read.diskRead()),
    diskWritten: Number(read.diskWritten()),
    networkReceived: Number(read.networkReceived()),
    networkSent: Number(read.networkSent()),
  };
}

export function readings(of) {
  return Object.fromEntries(asked(() => outside.readings(of)).map(({ name, value }) => [name, value]));
}

function asked(question) {
  try {
    return question();
  } catch (thrown) {
    throw Fault.of(thrown, 'metrics');
  }
}
