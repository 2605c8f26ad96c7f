/**
 * A host in memory, so that `node --test` runs an extension as it is written.
 *
 * It calls the extension as the server does, and applies what is answered. What the server does with the manifest (checks
 * of types, of required and immutable attributes, of the states that an action allows) is not done here, and there are no
 * machines, volumes and networks. While it is called, JavaScript's clocks stand where the test has set them, at first 1970, and
 * chance is the same for each host; that has every extension here, whatever its manifest asks for.
 */

import type { Cause, Extension, Value, http, metrics } from './index.js';

/** An entity, as clients see it. */
export interface Entity {
  readonly kind: string;
  readonly id: string;
  readonly location: string;
  mixins: string[];
  attributes: Record<string, Value>;
  state: string | undefined;
  /** Whether it comes to be in the operation of the call. */
  isNew: boolean;
  message: string | undefined;
  source: string | undefined;
  target: string | undefined;
  /** The time in milliseconds after which the last change asked to be observed again. */
  again: number | undefined;
}

/** The calls of capabilities that can be made to fail. */
export type Call =
  | 'config.get'
  | 'config.all'
  | 'keyvalue.open'
  | 'keyvalue.get'
  | 'keyvalue.set'
  | 'keyvalue.delete'
  | 'keyvalue.exists'
  | 'keyvalue.keys'
  | 'metrics.count'
  | 'metrics.gauge'
  | 'metrics.usage'
  | 'metrics.readings';

/** A host with one extension. It takes the place of the earlier one: a file of tests has one at a time. */
export class Host {
  /** A crashing host crashes once in each operation after the extension has answered, and calls again. */
  constructor(extension: Extension, options?: { crashing?: boolean });

  /** A resource that does not exist yet. */
  resource(kind: string, attributes?: Record<string, Value>, mixins?: string[]): Entity;
  /** A link that does not exist yet. */
  link(kind: string, source: Entity, target: Entity, attributes?: Record<string, Value>): Entity;

  /** Set what the extension finds in its configuration. */
  configure(key: string, value: string): void;
  /**
   * Play all servers that the extension asks by HTTP; without that each is denied. One that throws a Fault, such as
   * `Fault.unavailable`, is not reached.
   */
  serve(server: (request: http.Request) => http.Response): void;
  /** The requests by HTTP since the last time of asking. */
  requests(): http.Request[];
  /** Set the clocks, which stand still: to a date, or to so many milliseconds since 1970. */
  setTime(moment: Date | number): void;
  /** Let the next such call of a capability fail with that message. */
  fail(call: Call, message?: string): void;
  /** The messages logged since the last time of asking. */
  log(): { level: string; message: string }[];
  /** What a counter has come to. */
  counted(counter: string): number;
  /** What a gauge was set to last. */
  gauge(gauge: string): number | undefined;
  /** Set what the machine of an entity uses; what is left out is zero. Without that it has none. */
  setUsage(of: Entity, usage: Partial<metrics.Usage>): void;
  /**
   * Set what is read of the machine of an entity, or of the device that is attached for a link, by the names of the contract.
   * Without that it has none.
   */
  setReadings(of: Entity, readings: Record<string, number>): void;

  // Each throws the Fault of an extension that refuses, and then leaves the entity as it was.

  /** One call for its Kind and one for each of its Mixins. After a fault they are all deleted. */
  create(entity: Entity): void;
  update(entity: Entity, wanted: Record<string, Value>): void;
  /** Add a Mixin, with its attributes. */
  associate(entity: Entity, mixin: string, attributes?: Record<string, Value>): void;
  /** Take a Mixin off. */
  dissociate(entity: Entity, mixin: string): void;
  delete(entity: Entity): void;
  act(entity: Entity, action: string, parameters?: Record<string, Value>): void;
  observe(entity: Entity, cause: Cause): void;
  migrate(entity: Entity, fromVersion: string): void;
}
