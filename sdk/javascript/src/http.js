// Requests to other servers: the capability `http`.
//
// Not `fetch`: the engine's own answers with a promise, which the host does not wait for, and is upon interfaces of WASI in
// versions of its own.

import * as outside from '#outside/http';
import { Fault } from './fault.js';

class Message {
  constructor({ headers = {}, body = new Uint8Array() } = {}) {
    this.headers = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    this.body = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  }

  text() {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.body);
    } catch {
      throw Fault.failed('what a server is asked, or answers, is not UTF-8');
    }
  }

  json() {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch {
      throw Fault.failed('what a server is asked, or answers, is not JSON');
    }
  }
}

export class Request extends Message {
  constructor(method, url, parts) {
    super(parts);
    this.method = method;
    this.url = url;
  }

  send() {
    const { status, headers, body } = outside.send(this);
    return new Response(status, { headers, body });
  }
}

export class Response extends Message {
  constructor(status, parts) {
    super(parts);
    this.status = status;
  }
}
