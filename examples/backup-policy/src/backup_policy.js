// What the host calls.

import { Change, Fault, extension, log } from 'occi-extension';

import { INTERVAL, KEEP, LAST, policy, schedule } from './policy.js';

const NEXT = 'com.example.backup.next';
const OLDEST = 'com.example.backup.oldest';
const DUE = 'com.example.backup.due';

// A resource that has no backup is to have one now.
function create(subject) {
  const given = policy(subject);
  return planned(given).set(DUE, given.last === undefined ? 1 : 0);
}

function update(subject, wanted) {
  // The interval and what is kept may be taken away, too; then they are at their defaults, which the host sets.
  const before = policy(subject);
  const after = policy(wanted.over(subject));
  if (before.last !== undefined && after.last < before.last) {
    throw Fault.conflict(`there is a backup from ${subject.text(LAST)} already`, LAST);
  }
  const change = planned(after);
  return after.last === before.last ? change : change.set(DUE, 0);
}

function observe(subject, cause) {
  if (cause !== 'timer') return undefined;
  const due = (subject.integer(DUE) ?? 0) + 1;
  log.info(`${subject.location}: ${due} due`);
  return new Change().set(DUE, due).again(policy(subject).interval);
}

function planned(given) {
  const change = new Change().again(given.interval);
  if (given.last === undefined) return change;
  const { next, oldest } = schedule(given);
  return change.set(NEXT, next).set(OLDEST, oldest);
}

export default extension({
  mixins: {
    'http://example.com/occi/backup#backup-policy': { create, update, observe },
  },
});
