import { now as monotonic } from 'wasi:clocks/monotonic-clock@0.2.12';
import { now as wall } from 'wasi:clocks/wall-clock@0.2.12';

import { lent } from '../lacking.js';
import { clocks, place } from '../stand-ins.js';

function milliseconds() {
  const { seconds, nanoseconds } = wall();
  return Number(seconds) * 1000 + Math.floor(nanoseconds / 1e6);
}

place(
  clocks(
    lent('clock', milliseconds),
    lent('clock', () => Number(monotonic()) / 1e6),
  ),
);
