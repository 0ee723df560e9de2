/** What tunnels need of the host. Fulfilled by `wireguard/` (kernel or in memory). */

/** A peer as it should be: its own addresses, each alone and without a mask. */
export interface DesiredPeer {
  publicKey: string;
  addresses: string[];
}

/**
 * A peer as the interface has it. Endpoints are dropped where they are read: nobody here may know them. What has not
 * changed since the look before may be the same object, the peer and its `allowedIps` alone; what has changed never is.
 */
export interface SeenPeer {
  readonly publicKey: string;
  /** As `wg` prints them: `10.66.42.2/32`. */
  readonly allowedIps: readonly string[];
  /** Bytes since the peer was made; from zero again when it or the interface was rebuilt. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Unix seconds of the last handshake, 0 for none. */
  readonly lastHandshakeAt: number;
}

export interface InterfaceView {
  /** The interface's own public key; empty when none is set. */
  publicKey: string;
  listenPort: number;
  peers: SeenPeer[];
}

export interface PeerChange {
  set: DesiredPeer[];
  /** Public keys. */
  remove: string[];
}

/** Why nothing can be served now, in words for the operator. */
export interface InterfaceTrouble {
  code:
    | "no-interface"
    | "wrong-key"
    | "wrong-address"
    | "forwarding-off"
    | "no-permission"
    | "not-answering"
    | "no-limits";
  /** What is wrong and how to mend it; holds no key of a buyer. */
  message: string;
}

/** `look` and `apply` throw `EnforcementError`; what was applied before the error stays and is safe to repeat. */
export interface Enforcement {
  look(): Promise<InterfaceView>;
  /** Applies the whole change; a peer that the interface will not take is left out and returned, the others stand. */
  apply(change: PeerChange): Promise<{ rejected: string[] }>;
  /** Key, address, forwarding (rule: tell before a sale, not after). `undefined` when all is well. */
  trouble(view: InterfaceView): Promise<InterfaceTrouble | undefined>;
}

/** What one session may pass. Times are what is left of them, in ms; null is without an end. */
export interface SessionLimit {
  /** Names its count of bytes: letters and digits, one session's alone for ever. */
  name: string;
  /** An IPv4 address, and its company in IPv6. */
  addresses: string[];
  /** Passes uncounted for so long. */
  time: { leftMs: number | null } | undefined;
  /** After that, or without it, passes until so much of it is used. */
  data: { leftMs: number | null; totalBytes: number; usedBytes: number } | undefined;
  /** In each direction, of all addresses together; a Mbit is 10^6 bits. Null is without. */
  rateMbit: number | null;
}

/** The count begins at the limit's `usedBytes` when `counts` is "anew"; else what is counted stays counted. */
export interface LimitSetting extends SessionLimit {
  counts: "on" | "anew";
}

/** Addresses that are to have no limits any more, and so do not pass. */
export interface LimitRemoval {
  addresses: string[];
  /** The count that they lead to, and whether it goes too; undefined when they lead to none. */
  count: { name: string; goes: boolean } | undefined;
}

export interface LimitChange {
  /** Build everything from nothing; then `set` is all there is. */
  rebuild: boolean;
  set: LimitSetting[];
  remove: LimitRemoval[];
  /** What passes without limits, as `wg` prints it; undefined leaves it as it is. */
  foreignCidrs: string[] | undefined;
}

/** The limits as the kernel has them. */
export interface LimitsView {
  /** Nothing of ours is missing. */
  whole: boolean;
  /** Left of the time of each address, in ms; null without an end. */
  time: ReadonlyMap<string, number | null>;
  data: ReadonlyMap<string, { name: string; leftMs: number | null }>;
  /** By name. What was dropped counts too: `usedBytes` beyond `totalBytes` says no more than that it is used up. */
  counts: ReadonlyMap<string, { totalBytes: number; usedBytes: number }>;
  /** In Mbit/s, by IPv4 address: its company has the same one. */
  rates: ReadonlyMap<string, number>;
  /** Every address that limits were set for, whether anything is left of them or not. */
  limited: ReadonlySet<string>;
}

export type LimitCounts = Pick<LimitsView, "whole" | "counts">;

/**
 * Limits that the kernel holds by itself: what is in none of them, and not foreign, does not pass. All throw
 * `EnforcementError`; a change is applied whole or not at all.
 */
export interface Limits {
  look(): Promise<LimitsView>;
  /** Much less to read; `whole` says nothing of what is in the sets. */
  lookAtCounts(): Promise<LimitCounts>;
  /** Setting again what is set, and removing what is gone, is safe. */
  apply(change: LimitChange): Promise<void>;
}

export class EnforcementError extends Error {
  constructor(
    readonly trouble: InterfaceTrouble,
    options?: { cause?: unknown },
  ) {
    super(trouble.message, options);
    this.name = "EnforcementError";
  }
}
