// What the sandbox does not have. The engine was stopped while the extension was built, and each call goes on from
// there: asked for the time it would tell that of the build, and asked for chance the same numbers in every call. A
// wrong answer is worse than none, so whoever asks is told; clocks/ and random/ have what the host lends instead, where the
// manifest asks for it.

import { lacking } from './lacking.js';

const waiting = lacking('timer in an extension', 'answer a change with `again`, and be observed');

for (const name of ['setTimeout', 'setInterval']) globalThis[name] = waiting;
globalThis.fetch = lacking('fetch in an extension', 'ask by http.Request, which waits for the answer');
