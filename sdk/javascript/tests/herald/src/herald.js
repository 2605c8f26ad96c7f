// What the SDK has of clocks, randomness and other servers, for host/cli/tests/e2e/javascript_sdk.rs.

import { Change, Fault, extension, http } from 'occi-extension';

const ANSWER = 'com.example.herald.answer';

function look() {
  const [first, now] = [performance.now(), new Date()];
  const apart = Math.abs(Date.now() - now);
  if (!(performance.now() >= first && apart < 10_000 && now instanceof Date)) throw Fault.failed('clocks do not agree');
  const drawn = [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint32Array(2))]];
  return new Change().set(ANSWER, { now: now.toISOString(), drawn });
}

function ask(subject, parameters) {
  const headers = { 'X-Asked-By': subject.id, Authorization: 'Bearer {{key}}' };
  const body = 'x'.repeat(parameters.integer('size'));
  const answer = new http.Request(parameters.text('method'), parameters.text('url'), { headers, body }).send();
  return new Change().set(ANSWER, { status: answer.status, headers: answer.headers, body: answer.text() });
}

export default extension({ kinds: { 'http://example.com/herald#herald': { act: { look, ask } } } });
