import type { LightningNode } from "../../sales/lightning/ports.ts";

/** What the next matching request to the node meets. */
export type NodeFault =
  /** Never answered. */
  | "stall"
  /** The connection is dropped, nothing was done. */
  | "drop-before"
  /** It is done, and the connection dropped. */
  | "drop-after"
  | "error-500"
  | "garbage"
  /** As to a wrong password or macaroon. */
  | "unauthorised";

export type NodeCall = "make" | "look-up" | "cancel" | "follow" | "probe";

/** What a kind of node does not do. */
export type NodeLack = "cancel";

/** A node and the hand of its owner: what the contract suite drives, the same for every backend. */
export interface NodeHarness {
  node: LightningNode;
  /** Left out: it does everything. */
  cannot?: ReadonlySet<NodeLack>;
  /** Password or macaroon that the node is asked with: the contract looks for it in every error and in `probe`'s words. */
  secret?: string;
  /** Pays as a wallet does, `amountMsat` more or less than asked where the node allows it. Throws when it does not. */
  pay(paymentHash: string, amountMsat?: number): Promise<void>;
  /** The next `times` (1) requests of this kind meet the fault; for `follow`: the stream. */
  fault(call: NodeCall, fault: NodeFault, times?: number): void;
  /** Says a settlement again to whoever follows. */
  repeatEvent(paymentHash: string): void;
  /** Ends every stream that is being followed. */
  breakStreams(): void;
  /** Down until `up`; what was made and paid is kept. Payments may be made while it is down. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** The node's clock goes on: invoices expire. */
  pass(seconds: number): void;
  /** How many invoices the node has. */
  invoiceCount(): number;
  close(): Promise<void>;
}
