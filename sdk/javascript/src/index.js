// What an author imports. README.md is the way from nothing to a Kind; index.d.ts says what each thing is.

export { Change } from './change.js';
export { extension } from './extension.js';
export { Fault } from './fault.js';

export * as config from './config.js';
export * as http from './http.js';
export * as keyvalue from './keyvalue.js';
export * as log from './log.js';
export * as metrics from './metrics.js';
