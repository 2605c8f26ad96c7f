import { world } from '../world.js';

const failure = (message) => ({ tag: 'io', val: message });

export function get(key) {
  world.call('config.get', failure);
  return world.config.get(key);
}

export function getAll() {
  world.call('config.all', failure);
  return [...world.config];
}
