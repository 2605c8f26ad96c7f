// The operator's log, with the extension's name on each line: the capability `logging`.

import { log } from '#outside/logging';

const at = (level) => (message) => log(level, '', String(message));

export const trace = /* @__PURE__ */ at('trace');
export const debug = /* @__PURE__ */ at('debug');
export const info = /* @__PURE__ */ at('info');
export const warn = /* @__PURE__ */ at('warn');
export const error = /* @__PURE__ */ at('error');
export const critical = /* @__PURE__ */ at('critical');
