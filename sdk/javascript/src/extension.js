// From what an author writes to what the host calls: the interfaces that a component exports.

import { Attributes } from './attributes.js';
import { Change } from './change.js';
import { Fault } from './fault.js';
import { begin } from './lacking.js';
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
  const roles = { ...kinds, ...mixins };
  const used = new Set(Object.entries(roles).flatMap(([role, handlers]) => interfacesOf(role, handlers)));
  const exported = Object.entries(interfaces(roles)).filter(([name]) => used.has(name));
  return Object.freeze({ roles: described(roles), ...Object.fromEntries(exported) });
}

// All that the contract has. A role without a handler changes nothing.
function interfaces(roles) {
  const call = (name, role, ...given) => run(roles[role]?.[name], `${name} of ${role}`, given);
  return {
    lifecycle: {
      create: (operation, role, entity) => call('create', role, new Subject(entity, role, operation)),
      update: (operation, role, entity, wanted) =>
        call('update', role, new Subject(entity, role, operation), new Attributes(wanted)),
      delete(operation, role, entity) {
        call('delete', role, new Subject(entity, role, operation));
      },
    },
    actions: {
      act(operation, role, entity, action, parameters) {
        const handler = roles[role]?.act?.[action] ?? unknown(action);
        const given = [new Subject(entity, role, operation), new Attributes(parameters)];
        return run(handler, `${action} of ${role}`, given);
      },
    },
    observe: {
      observe: (role, entity, cause) => call('observe', role, new Subject(entity, role, ''), cause),
    },
    migrate: {
      migrate: (fromVersion, role, entity) => call('migrate', role, new Subject(entity, role, ''), fromVersion),
    },
  };
}

// The interfaces that the handlers of a role need. A handler of another name would never be called.
function interfacesOf(role, handlers) {
  return Object.entries(handlers).map(([name, handler]) => {
    const needed = INTERFACES[name];
    if (needed === undefined) {
      throw new TypeError(`${role}: there is no handler '${name}'; there are ${Object.keys(INTERFACES).join(', ')}`);
    }
    const functions = name === 'act' ? Object.values(handler) : [handler];
    if (!functions.every((it) => typeof it === 'function')) throw new TypeError(`${role}: '${name}' is no function`);
    return needed;
  });
}

// What the build holds against the manifest.
function described(roles) {
  return Object.fromEntries(Object.entries(roles).map(([role, { act = {} }]) => [role, { actions: Object.keys(act) }]));
}

// The build has seen to it that there is a handler for each action, unless the manifest was exchanged since.
function unknown(action) {
  return () => {
    throw Fault.unsupported(`the extension does not know how to ${action}`);
  };
}

// Calls a handler, where there is one. What it throws becomes the contract's fault.
function run(handler, where, given) {
  begin();
  try {
    return lowered(handler?.(...given));
  } catch (thrown) {
    throw Fault.of(thrown, where).lower();
  }
}

function lowered(answer = new Change()) {
  if (answer instanceof Change) return answer.lower();
  if (typeof answer?.then === 'function') {
    throw new TypeError('the answer is a promise, and the host waits for nothing');
  }
  throw new TypeError(`the answer is ${String(answer)}, which is no Change`);
}
