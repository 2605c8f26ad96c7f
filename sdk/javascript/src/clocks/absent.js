import { lacking } from '../lacking.js';
import { clocks, place } from '../stand-ins.js';

const clock = lacking(
  'clock in an extension that does not ask for one',
  'add [capabilities.clocks] to the manifest, count what `again` and the host tell, or let the client say the time',
);

place(clocks(clock, clock));
