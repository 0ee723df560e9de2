/** What tunnels need of the host. Fulfilled by `wireguard/` (kernel or in memory). */

/** A peer as it should be: its /32 addresses, without a mask. */
export interface DesiredPeer {
  publicKey: string;
  addresses: string[];
}

/** A peer as the interface has it. Endpoints are dropped where they are read: nobody here may know them. */
export interface SeenPeer {
  publicKey: string;
  /** As `wg` prints them: `10.66.42.2/32`. */
  allowedIps: string[];
  /** Bytes since the peer was made; from zero again when it or the interface was rebuilt. */
  receivedBytes: number;
  sentBytes: number;
  /** Unix seconds of the last handshake, 0 for none. */
  lastHandshakeAt: number;
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
  code: "no-interface" | "wrong-key" | "wrong-address" | "forwarding-off" | "no-permission" | "not-answering";
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

export class EnforcementError extends Error {
  constructor(
    readonly trouble: InterfaceTrouble,
    options?: { cause?: unknown },
  ) {
    super(trouble.message, options);
    this.name = "EnforcementError";
  }
}
