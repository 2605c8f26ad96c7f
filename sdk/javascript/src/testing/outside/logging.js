import { world } from '../world.js';

export function log(level, context, message) {
  world.log.push({ level, message });
}
