// Policies as plain values: no host, no clock.

import { Fault } from 'occi-extension';

export const INTERVAL = 'com.example.backup.interval';
export const KEEP = 'com.example.backup.keep';
export const LAST = 'com.example.backup.last';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const UNITS = { s: SECOND, m: 60 * SECOND, h: 60 * 60 * SECOND, d: DAY, w: 7 * DAY };

// Who wants to go back further wants an archive.
const HORIZON = 10 * 365 * DAY;

// The policy that attributes describe, in milliseconds; `last` is undefined where there is no backup. One that cannot be
// kept to is refused.
export function policy(attributes) {
  const interval = duration(attributes.text(INTERVAL));
  const keep = attributes.integer(KEEP);
  if (interval * keep > HORIZON) {
    const most = Math.floor(HORIZON / interval);
    throw most > 0
      ? Fault.invalid(`${keep} backups at that interval go back more than ten years; keep ${most} at most`, KEEP)
      : Fault.invalid('more than ten years from one backup to the next', INTERVAL);
  }
  return { interval, keep, last: moment(attributes.text(LAST)) };
}

// When the next backup is to be made, and from when the oldest is that is kept.
export function schedule({ interval, keep, last }) {
  const text = (time) => new Date(time).toISOString().replace('.000Z', 'Z');
  return { next: text(last + interval), oldest: text(last - (keep - 1) * interval) };
}

function duration(text) {
  const [, number, unit] = /^([1-9][0-9]*)([smhdw])$/.exec(text) ?? [];
  if (number === undefined) {
    throw Fault.invalid(`'${text}' is no interval; write a number and s, m, h, d or w, such as 12h`, INTERVAL);
  }
  return Number(number) * UNITS[unit];
}

function moment(text) {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : NaN;
  // The engine reads 30 February as 2 March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text.replace('Z', '.000Z')) {
    throw Fault.invalid(`'${text}' is no time in UTC, such as 2026-11-28T07:00:00Z`, LAST);
  }
  return time;
}
