/// <reference path="./capabilities.d.ts" />

/**
 * What an author adds to write an OCCI extension in JavaScript.
 *
 * An extension is a manifest, which declares Kinds, Mixins, attributes, actions and states, and a component, which does
 * the work. The host reads the manifest, answers discovery, checks what clients send and calls the component for the
 * effect. Whatever the manifest says, the component need not check again.
 *
 * Each call runs in a fresh sandbox: what a module keeps in a variable is gone with the call.
 */

/** The value of an attribute. An array or an object is one of a type 'array' or 'object', as `JSON.stringify` has it. */
export type Value = string | number | bigint | boolean | object;

/**
 * Attributes, read by name with the type that the manifest declares. Each read answers undefined where the attribute is not
 * there, or is of another type: the host has checked the type, so that is a slip of the author's.
 */
export interface Reader {
  /** An attribute of type 'string'. */
  text(name: string): string | undefined;
  /** An attribute of type 'integer'. One that is beyond `Number.MAX_SAFE_INTEGER` is refused with a fault. */
  integer(name: string): number | undefined;
  /** An attribute of type 'integer', however large. */
  bigint(name: string): bigint | undefined;
  /** An attribute of type 'number'. */
  number(name: string): number | undefined;
  /** An attribute of type 'boolean'. */
  boolean(name: string): boolean | undefined;
  /** An attribute of type 'array' or 'object'. */
  json(name: string): unknown;
  /** Whether it is there. */
  has(name: string): boolean;
}

/** The entity that a call is about, and the call's own words on it. It is lent for that call. */
export interface Subject extends Reader {
  /**
   * The type identifier (scheme and term) of the Kind or Mixin of this extension that the call speaks to. An entity that has
   * several of them is the subject of one call for each.
   */
  readonly role: string;
  /**
   * Stays the same when the host calls again after a crash: both calls together must then have the effect of one. Empty
   * while observing and migrating, which are no operations of a client.
   */
  readonly operation: string;
  /** The value of `occi.core.id`. */
  readonly id: string;
  /** The path under which clients see it. */
  readonly location: string;
  /** The type identifier of its Kind. */
  readonly kind: string;
  /** The type identifiers of its Mixins, those that they depend on included. */
  readonly mixins: string[];
  /** The value of the Kind's state attribute, where the manifest names one. */
  readonly state: string | undefined;
  /** Whether it comes to be in the operation of the call, with all that it is going to be. */
  readonly isNew: boolean;
  /** The location of a link's source; undefined on a resource. */
  readonly source: string | undefined;
  /** The location, or the foreign URI, of a link's target; undefined on a resource. */
  readonly target: string | undefined;
  /** The names of its attributes. */
  readonly names: string[];
}

/** Attributes that come with a call: the parameters of an action, or those that a client wants to change. */
export interface Attributes extends Reader {
  readonly names: string[];
  /** What the entity will show after an update: these attributes over those that it shows. */
  over(shown: Reader): Reader;
}

/** What an extension proposes. The host checks it against the manifest and commits it, or refuses it whole. */
export class Change {
  /** Set an attribute; one that clients may not change, too. */
  set(name: string, value: Value): this;
  /** Take an attribute away. */
  clear(name: string): this;
  /** Enter a state, one of those in the manifest. */
  state(name: string): this;
  /** Say why the entity is in its state. An empty text takes the message away. */
  message(text: string): this;
  /**
   * Be observed again after so many milliseconds, with the cause 'timer'; after a second at the soonest. The host keeps one
   * time for each entity: of several the earlier. It outlives the host's process: one whose time passes meanwhile is called soon
   * after the next start.
   */
  again(milliseconds: number): this;
}

/**
 * Why an extension, or a capability, says no: to be thrown. The client reads the message: what is wrong, and what would mend
 * it. `attribute` is the one that the client must change.
 */
export class Fault extends Error {
  constructor(code: string, message: string, attribute?: string);
  /** One of those below, or one that a later version of the contract adds. */
  readonly code: string;
  readonly attribute: string | undefined;
  /** The request, or one of its attributes, makes no sense. */
  static invalid(message: string, attribute?: string): Fault;
  /** It cannot be done in the state that things are in. */
  static conflict(message: string, attribute?: string): Fault;
  /** It is not allowed. */
  static denied(message: string, attribute?: string): Fault;
  /** There is no such thing. */
  static missing(message: string, attribute?: string): Fault;
  /** It makes sense, and cannot be done here. */
  static unsupported(message: string, attribute?: string): Fault;
  /** Something that is needed does not answer now; trying again may help. */
  static unavailable(message: string, attribute?: string): Fault;
  /** It took too long. */
  static timeout(message: string, attribute?: string): Fault;
  /** It went wrong, and no other code fits. */
  static failed(message: string, attribute?: string): Fault;
}

/** Why the host asks; a later version may have other causes. */
export type Cause = 'event' | 'timer' | 'refused' | 'restart' | 'recreate' | (string & {});

/**
 * What an extension does for one Kind or Mixin. What is left out does nothing and succeeds; undefined is a change of nothing.
 * wit/ says when each is called.
 */
export interface Handlers {
  /** The entity, or the Mixin of it, is about to exist. */
  create?(subject: Subject): Change | void;
  /** A client changes attributes: the wanted ones, which the host sets before it applies the answer. */
  update?(subject: Subject, wanted: Attributes): Change | void;
  /** The entity, or the Mixin of it, is about to go. It must succeed where there is nothing left to undo. */
  delete?(subject: Subject): void;
  /** The actions that the manifest declares, by their terms. */
  act?: Record<string, (subject: Subject, parameters: Attributes) => Change | void>;
  /** The world moved: say what the entity is now. */
  observe?(subject: Subject, cause: Cause): Change | void;
  /** An older version of this extension made the entity, and it does not fit this one. */
  migrate?(subject: Subject, fromVersion: string): Change | void;
}

/** An extension, as the component exports it. */
export interface Extension {
  readonly roles: Record<string, { actions: string[] }>;
}

/** Kinds and Mixins by their type identifiers. The component exports what their handlers need, and nothing else. */
export function extension(parts: { kinds?: Record<string, Handlers>; mixins?: Record<string, Handlers> }): Extension;

/** The operator's log, with the extension's name on each line: the capability `logging`. */
export namespace log {
  function trace(message: string): void;
  function debug(message: string): void;
  function info(message: string): void;
  function warn(message: string): void;
  function error(message: string): void;
  function critical(message: string): void;
}

/** What the operator has set for the extension: the capability `config`. */
export namespace config {
  /** The value of a key. */
  function get(key: string): string | undefined;
  /** All keys with their values. */
  function all(): Record<string, string>;
}

/**
 * Small state of the extension's own, kept for each tenant: the capability `keyvalue`.
 *
 * What a call writes is committed with the request that it belongs to, or not at all; meanwhile it is read by that call and
 * by those that come after it in the same request. Where another request has changed meanwhile a key that this one writes,
 * the host calls again with what is stored then. What is read and not written is not compared.
 */
export namespace keyvalue {
  /** The store with that name, of at most 64 letters, digits, `-`, `_` and `.`; the empty one is the default. */
  function open(name?: string): Store;

  interface Store {
    get(key: string): Uint8Array | undefined;
    set(key: string, value: Uint8Array): void;
    /** The same as UTF-8. */
    getText(key: string): string | undefined;
    setText(key: string, text: string): void;
    has(key: string): boolean;
    /** Succeeds where there is no such key. */
    delete(key: string): void;
    /** All keys, in their order. */
    keys(): string[];
  }
}

/**
 * Figures: what machines use, and what the extension counts for the operator. The capability `metrics`.
 *
 * What is counted has a name that the manifest declares, in the lists `counters` and `gauges` of `[capabilities.metrics]`; any
 * other is `denied`. It counts at once, whether or not the operation is committed, and once more where the host calls again;
 * and begins anew with the server's process.
 */
export namespace metrics {
  /** Add to a counter; one, if nothing else is said. */
  function count(counter: string, by?: number | bigint): void;
  /** Set a gauge; `invalid` where the value is not finite. */
  function gauge(gauge: string, value: number): void;
  /**
   * What the machine of the entity that the call is about uses or, where that is a link, of one of its ends; `missing` where
   * there is none. One that has no power uses nothing: all is zero, and begins anew with its next start.
   */
  function usage(of: 'subject' | 'source' | 'target'): Usage;
  /**
   * What was read some seconds ago of such a machine, its disks and interfaces summed up; or, of a `subject` that is a link, of
   * the device that is attached for it. By names as Prometheus has them, with their units: `cpu_seconds_total`, `vcpus`,
   * `memory_bytes`, `disk_read_bytes_total` and others, which the contract lists. What the hypervisor does not tell is left out,
   * and all is where the machine has no power. What ends in `_total` is counted since it has power. `missing` where there is
   * neither, `unavailable` where the hypervisor does not answer.
   */
  function readings(of: 'subject' | 'source' | 'target'): Record<string, number>;

  interface Usage {
    /** Milliseconds that its CPUs have computed since it has power, all of them together. */
    readonly cpuTime: number;
    /** Bytes of memory that it has now. */
    readonly memory: number;
    /** Bytes that it has read from its disks since it has power. What a device has done goes with the device. */
    readonly diskRead: number;
    /** Bytes that it has written to its disks since it has power. */
    readonly diskWritten: number;
    /** Bytes that have come to its interfaces since it has power. */
    readonly networkReceived: number;
    /** Bytes that its interfaces have sent since it has power. */
    readonly networkSent: number;
  }
}

/**
 * Requests to other servers: the capability `http`.
 *
 * The operator says which servers the extension may ask; a request to any other is denied. Redirects are not followed: an
 * answer that tells of another place is an answer like any other. A secret is named, and the host puts it in:
 *
 *     const headers = { authorization: 'Bearer {{token}}' };
 *     const answer = new http.Request('GET', 'https://api.example.com/zones', { headers }).send();
 *     if (answer.status === 200) zones = answer.json();
 */
export namespace http {
  interface Parts {
    headers?: Record<string, string>;
    /** A text is sent as UTF-8. */
    body?: string | Uint8Array;
  }

  interface Message {
    /**
     * By their names, in lower case. One that came several times has its values with commas between (RFC 9110, 5.3).
     */
    readonly headers: Record<string, string>;
    readonly body: Uint8Array;
    /** The body, which is UTF-8. */
    text(): string;
    /** The body, which is JSON. */
    json(): any;
  }

  interface Request extends Message {}
  /** What is asked. */
  class Request {
    /** `url` is whole, with scheme and host. */
    constructor(method: string, url: string, parts?: Parts);
    readonly method: string;
    readonly url: string;
    /**
     * Sends it, and waits for the whole answer, be it an error or not. A fault is `denied` where the operator does not let the
     * extension ask that server, `unavailable` where it cannot be reached, and `timeout` where it does not answer in time.
     */
    send(): Response;
  }

  interface Response extends Message {}
  /** What a server answers. */
  class Response {
    constructor(status: number, parts?: Parts);
    readonly status: number;
  }
}
