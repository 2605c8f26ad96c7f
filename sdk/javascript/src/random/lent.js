import { getRandomBytes } from 'wasi:random/random@0.2.12';

import { lent } from '../lacking.js';
import { chance, place } from '../stand-ins.js';

// The most that the host gives at a time.
const MOST = 1 << 20;

function bytes(count) {
  const drawn = new Uint8Array(count);
  for (let start = 0; start < count; start += MOST) {
    drawn.set(getRandomBytes(BigInt(Math.min(MOST, count - start))), start);
  }
  return drawn;
}

place(chance(lent('chance', bytes)));
