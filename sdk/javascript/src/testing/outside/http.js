import { world } from '../world.js';

export function send(request) {
  return world.ask(request);
}
