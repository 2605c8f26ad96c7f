// The capabilities that are called by the contract's own names, as they are imported: wit/ says what each does. What they
// refuse is thrown; a handler that does not catch it hands it on.

declare module 'occi:extension/types@0.1.0' {
  /** Which entity is meant: the one that the call is about or, where that is a link, one of its ends. */
  export type End = 'subject' | 'source' | 'target';

  /** The value of an attribute; an array or an object is a JSON document. */
  export type Value =
    | { tag: 'text'; val: string }
    | { tag: 'integer'; val: bigint }
    | { tag: 'number'; val: number }
    | { tag: 'boolean'; val: boolean }
    | { tag: 'structured'; val: string };

  /** An entity that a capability shows. */
  export class Entity {
    private constructor();
    id(): string;
    location(): string;
    kind(): string;
    mixins(): string[];
    state(): string | undefined;
    get(name: string): Value | undefined;
    attributes(): { name: string; value: Value }[];
    isNew(): boolean;
    source(): string | undefined;
    target(): string | undefined;
  }
}

declare module 'occi:extension/entities@0.1.0' {
  import type { Entity, Value } from 'occi:extension/types@0.1.0';

  export function find(location: string): Entity;
  export function link(kind: string, target: string, attributes: { name: string; value: Value }[]): string;
  export function unlink(location: string): void;

  export class Listing {
    private constructor();
    static members(category: string): Listing;
    static linksFrom(of: Entity): Listing;
    static linksTo(of: Entity): Listing;
    next(): Entity[] | undefined;
  }
}

declare module 'occi:extension/folder@0.1.0' {
  export function read(name: string): Uint8Array | undefined;
  export function write(name: string, content: Uint8Array): void;
  export function remove(name: string): void;
  export function names(after?: string): string[];
}

declare module 'occi:extension/machines@0.1.0' {
  import type { Network } from 'occi:extension/networks@0.1.0';
  import type { End, Entity } from 'occi:extension/types@0.1.0';
  import type { Volume } from 'occi:extension/volumes@0.1.0';

  export class Plan {
    cores(count: number): void;
    memory(bytes: bigint): void;
    shares(weight: number): void;
    architecture(name: string): void;
    hostname(name: string): void;
    title(text: string): void;
    image(name: string): void;
    scratch(bytes: bigint): void;
    seed(name: string, content: Uint8Array): void;
    labels(labels: string[]): void;
    near(other: Entity): void;
    apart(other: Entity): void;
  }

  export class Nic {
    private constructor();
    device(): string;
    mac(): string;
  }

  export class Machine {
    private constructor();
    static define(of: End, plan: Plan): Machine;
    static open(of: End): Machine;
    static discard(of: End): void;
    static isAway(of: End): boolean;
    node(): string;
    scratch(): string | undefined;
    state(): string;
    reason(): string;
    start(): void;
    shutdown(waitMs: bigint): void;
    powerOff(): void;
    reboot(): void;
    restart(waitMs: bigint): void;
    reset(): void;
    pause(): void;
    save(): void;
    snapshot(name: string): void;
    attachVolume(volume: Volume): string;
    detachVolume(volume: Volume): void;
    attachNetwork(network: Network, mac?: string): Nic;
    reserveAddress(network: Network, address?: string): void;
    giveAddress(network: Network): string | undefined;
    detachNetwork(network: Network): void;
    remove(): void;
  }
}

declare module 'occi:extension/images@0.1.0' {
  import type { Machine } from 'occi:extension/machines@0.1.0';
  import type { Volume } from 'occi:extension/volumes@0.1.0';

  export function make(of: Machine, title: string): string;
  export function makeOfVolume(of: Volume, title: string): string;
}

declare module 'occi:extension/volumes@0.1.0' {
  import type { End } from 'occi:extension/types@0.1.0';

  export class Volume {
    private constructor();
    static create(of: End, bytes: bigint): Volume;
    static createAs(of: End, bytes: bigint, format: string | undefined, image: string | undefined): Volume;
    static open(of: End): Volume;
    capacity(): bigint;
    format(): string;
    resize(bytes: bigint): void;
    remove(): void;
  }
}

declare module 'occi:extension/networks@0.1.0' {
  import type { End } from 'occi:extension/types@0.1.0';

  export class Plan {
    vlan(id: number): void;
    address(cidr: string): void;
    gateway(address: string): void;
    dhcp(enabled: boolean): void;
    title(text: string): void;
    bridge(name: string): void;
  }

  export class Network {
    private constructor();
    static define(of: End, plan: Plan): Network;
    static open(of: End): Network;
    active(): boolean;
    up(): void;
    down(): void;
    remove(): void;
  }
}
