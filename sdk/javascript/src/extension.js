// From what an author writes to what the host calls: the interfaces that a component exports.

import { Attributes } from './attributes.js';
import { Change } from './change.js';
import { Fault } from './fault.js';
import { Subject } from './subject.js';

// The interface that each handler needs.
const INTERFACES = {
  create: 'lifecycle',
  update: 'lifecycle',
  delete: 'lifecycle',
  act: 'actions',
  observe: 'observe',
  migrate: 'migrate',
};

export function extension({ kinds = {}, mixins = {} }) {
  const roles = new Map([...Object.entries(kinds), ...Object.entries(mixins)]);
  const answered = (role, handler, ...given) => change(run(roles.get(role)?.[handler], role, handler, given));
  const interfaces = {
    lifecycle: {
      create: (operation, role, entity) => answered(role, 'create', new Subject(entity, role, operation)),
      update: (operation, role, entity, wanted) =>
        answered(role, 'update', new Subject(entity, role, operation), new Attributes(wanted)),
      delete: (operation, role, entity) => {
        run(roles.get(role)?.delete, role, 'delete', [new Subject(entity, role, operation)]);
      },
    },
    actions: {
      act: (operation, role, entity, action, parameters) => {
        const given = [new Subject(entity, role, operation), new Attributes(parameters)];
        const handler = roles.get(role)?.act?.[action] ?? missing(`the extension does not know how to ${action}`);
        return change(run(handler, role, action, given));
      },
    },
    observe: {
      observe: (role, entity, cause) => answered(role, 'observe', new Subject(entity, role, ''), cause),
    },
    migrate: {
      migrate: (fromVersion, role, entity) => answered(role, 'migrate', new Subject(entity, role, ''), fromVersion),
    },
  };
  const used = new Set([...roles].flatMap(([role, handlers]) => check(role, handlers)));
  const exported = Object.entries(interfaces).filter(([name]) => used.has(name));
  return Object.freeze({ roles: described(roles), ...Object.fromEntries(exported) });
}

// The interfaces that the handlers of a role need. A handler of another name would never be called.
function check(role, handlers) {
  return Object.entries(handlers).map(([name, handler]) => {
    const known = INTERFACES[name];
    if (known === undefined) {
      throw new TypeError(`${role}: there is no handler '${name}'; there are ${Object.keys(INTERFACES).join(', ')}`);
    }
    const functions = name === 'act' ? Object.values(handler) : [handler];
    if (!functions.every((it) => typeof it === 'function')) throw new TypeError(`${role}: '${name}' is no function`);
    return known;
  });
}

// What the build holds against the manifest.
function described(roles) {
  return Object.fromEntries([...roles].map(([role, { act = {} }]) => [role, { actions: Object.keys(act) }]));
}

function missing(message) {
  return () => {
    throw Fault.unsupported(message);
  };
}

// The answer of a handler; what it throws becomes the contract's fault.
function run(handler, role, name, given) {
  try {
    const answer = handler?.(...given);
    if (typeof answer?.then === 'function') throw new TypeError('an answer is no promise: the host waits for nothing');
    return answer;
  } catch (thrown) {
    if (!(thrown instanceof Fault) && thrown?.payload === undefined) {
      throw Fault.failed(`${name} of ${role}: ${thrown}`).lower();
    }
    throw Fault.of(thrown).lower();
  }
}

function change(answer = new Change()) {
  if (!(answer instanceof Change)) throw Fault.failed(`${answer} is no Change`).lower();
  return answer.lower();
}
