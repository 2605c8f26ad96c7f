// What the sandbox does not have. The engine was stopped while the extension was built, and each call goes on from
// there: asked for the time it would tell that of the build, and asked for chance the same numbers in every call. A
// wrong answer is worse than none, so whoever asks is told.

const lacking = (what, why) => () => {
  throw new Error(`there is no ${what} in an extension: ${why}`);
};

const clock = lacking('clock', 'count what `again` and the host tell, or let the client say the time');
const chance = lacking('chance', 'make names of the id of the subject or of the operation, which are unique');
const waiting = lacking('timer', 'answer a change with `again`, and be observed');
const network = lacking('network', 'the host lends what the manifest asks for');

Math.random = chance;
Date.now = clock;
performance.now = clock;
globalThis.Date = new Proxy(Date, {
  apply: clock,
  construct: (target, given, made) => (given.length === 0 ? clock() : Reflect.construct(target, given, made)),
});
for (const name of ['setTimeout', 'setInterval']) globalThis[name] = waiting;
globalThis.fetch = network;
// Its members cannot be set one by one.
Object.defineProperty(globalThis, 'crypto', { get: chance });
