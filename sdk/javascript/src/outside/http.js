// A request in the words of `wasi:http`.

import { handle } from 'wasi:http/outgoing-handler@0.2.12';
import { Fields, OutgoingBody, OutgoingRequest } from 'wasi:http/types@0.2.12';

import { Fault } from '../fault.js';

// How many bytes a stream takes at a time without being asked first.
const WRITE = 4096;
// How many bytes are read at a time.
const READ = BigInt(64 << 10);

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const SCHEMES = { http: 'HTTP', https: 'HTTPS' };

const DENIED = {
  'HTTP-request-denied': 'the operator does not let the extension ask that server',
  'destination-IP-prohibited': 'the server has an address that the operator does not let extensions reach',
};
const TIMEOUT = [
  'DNS-timeout',
  'connection-timeout',
  'connection-read-timeout',
  'connection-write-timeout',
  'HTTP-response-timeout',
];
const UNAVAILABLE = [
  'DNS-error',
  'destination-not-found',
  'destination-unavailable',
  'destination-IP-unroutable',
  'connection-refused',
  'connection-terminated',
];

export function send({ method, url, headers, body }) {
  const outgoing = asked({ method, url, headers, body });
  const content = body.length > 0 ? outgoing.body() : undefined;
  const coming = attempt(() => handle(outgoing, undefined), fault);
  try {
    if (content !== undefined) write(content, body);
  } catch (thrown) {
    // Where the server is not reached, or answers early, the answer says so.
    if (!isRefusal(thrown)) throw thrown;
  }
  const ready = coming.subscribe();
  ready.block();
  drop(ready);
  // Whether it is the first to take the answer, and then what that is.
  const answer = coming.get();
  if (answer?.tag !== 'ok') throw Fault.failed('the host has no answer to the request');
  if (answer.val.tag !== 'ok') throw fault(answer.val.val);
  return read(answer.val.val);
}

function asked({ method, url, headers, body }) {
  const parts = /^([^:/?#]+):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?/.exec(url);
  if (parts === null) throw Fault.invalid(`'${url}' is no URL with a scheme and a host`);
  const [, named, authority, path, query = ''] = parts;
  const scheme = named.toLowerCase();
  // Else it would go in chunks, which not every server takes.
  const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
  const lines = Object.entries({ ...length, ...headers });
  const fields = attempt(
    () => Fields.fromList(lines.map(([name, value]) => [name, new TextEncoder().encode(value)])),
    ({ tag }) => Fault.invalid(`a header of the request cannot be: ${tag}`),
  );
  const outgoing = new OutgoingRequest(fields);
  return attempt(
    () => {
      outgoing.setMethod(METHODS.includes(method) ? { tag: method.toLowerCase() } : { tag: 'other', val: method });
      outgoing.setScheme(Object.hasOwn(SCHEMES, scheme) ? { tag: SCHEMES[scheme] } : { tag: 'other', val: scheme });
      outgoing.setAuthority(authority);
      outgoing.setPathWithQuery((path || '/') + query);
      return outgoing;
    },
    () => Fault.invalid(`'${method} ${url}' cannot be asked`),
  );
}

function write(content, body) {
  const stream = content.write();
  for (let start = 0; start < body.length; start += WRITE) {
    stream.blockingWriteAndFlush(body.subarray(start, start + WRITE));
  }
  drop(stream);
  OutgoingBody.finish(content, undefined);
}

function read(response) {
  const headers = {};
  for (const [name, value] of response.headers().entries()) {
    const text = new TextDecoder().decode(value);
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${text}` : text;
  }
  const stream = response.consume().stream();
  const parts = [];
  for (;;) {
    try {
      parts.push(stream.blockingRead(READ));
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      if (thrown.payload.tag === 'closed') break;
      throw Fault.failed(`the answer broke off: ${thrown.payload.val.toDebugString()}`);
    }
  }
  return { status: response.status(), headers, body: joined(parts) };
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// WASI's error as a fault.
function fault({ tag }) {
  if (tag in DENIED) return Fault.denied(DENIED[tag]);
  if (TIMEOUT.includes(tag)) return Fault.timeout(`a server did not answer: ${tag}`);
  if (UNAVAILABLE.includes(tag)) return Fault.unavailable(`a server cannot be reached: ${tag}`);
  return Fault.failed(`a server cannot be asked: ${tag}`);
}

function attempt(doing, refused) {
  try {
    return doing();
  } catch (thrown) {
    throw isRefusal(thrown) ? refused(thrown.payload) : thrown;
  }
}

// Whether the host said no, and not the code threw. A result may have an error of nothing.
function isRefusal(thrown) {
  return Object.hasOwn(Object(thrown), 'payload');
}

// A stream and what waits for it go before what they are of.
function drop(handle) {
  handle[Symbol.dispose ?? Symbol.for('dispose')]();
}
