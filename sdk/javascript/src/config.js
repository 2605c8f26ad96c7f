// What the operator has set for the extension: the capability `config`.

import * as outside from '#outside/config';
import { Fault } from './fault.js';

export function get(key) {
  return asked(() => outside.get(key));
}

export function all() {
  return Object.fromEntries(asked(() => outside.getAll()));
}

function asked(question) {
  try {
    return question();
  } catch (thrown) {
    throw Fault.failed(thrown?.payload?.val ?? String(thrown));
  }
}
