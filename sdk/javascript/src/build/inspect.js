// What an extension is, before it is a component: the interfaces that its handlers need, held against its manifest.

import { parse } from 'smol-toml';

import { forNode } from './bundle.js';

const INTERFACES = ['lifecycle', 'actions', 'observe', 'migrate'];

// The interfaces that the component has to export, and the capabilities that the manifest asks for.
export async function inspect(entry, manifest) {
  const code = await forNode(entry);
  const { default: extension } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  if (extension?.roles === undefined) throw new Error(`${entry} has no 'export default extension({ ... })'`);
  const declared = parse(manifest);
  const faults = compare(extension.roles, defined(declared));
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const exports = INTERFACES.filter((name) => name in extension);
  if (exports.length === 0) {
    throw new Error(`${entry} has no handlers; install the manifest alone, if no code is needed`);
  }
  return { exports, capabilities: Object.keys(declared.capabilities ?? {}) };
}

// The actions of each Kind and Mixin of a manifest.
export function defined({ kind = [], mixin = [] }) {
  const entry = ({ scheme, term, action = [] }) => [`${scheme}${term}`, action.map((it) => it.term)];
  return Object.fromEntries([...kind, ...mixin].map(entry));
}

// What would not be called, and what would be called and is not there. The host sees neither: it knows the component's
// interfaces alone.
export function compare(roles, manifest) {
  const faults = [];
  for (const [role, { actions }] of Object.entries(roles)) {
    if (!(role in manifest)) {
      faults.push(`the code has handlers for ${role}, but the manifest defines no such Kind or Mixin`);
      continue;
    }
    for (const term of actions.filter((term) => !manifest[role].includes(term))) {
      faults.push(`the code has the action '${term}' of ${role}, but the manifest does not define it`);
    }
  }
  for (const [role, terms] of Object.entries(manifest)) {
    for (const term of terms.filter((term) => !roles[role]?.actions.includes(term))) {
      faults.push(`the manifest defines the action '${term}' of ${role}, but the code has no handler for it`);
    }
  }
  return faults;
}
