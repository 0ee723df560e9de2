/** `acts`: the mint does what was asked (spends, signs) although its answer does not say so. Default false. */
interface Acting {
  acts?: boolean;
}

/** What goes wrong with one request. */
export type Fault =
  /** No answer until `release()`, or for so long; without `acts`, the request is carried out only then. */
  | ({ kind: "stall"; forMs?: number } & Acting)
  /** The socket is destroyed before anything is done. */
  | { kind: "drop-before" }
  /** It is done, then the socket is destroyed without an answer. */
  | { kind: "drop-after" }
  /** A proxy's answer: this status, HTML unless a body is given. */
  | ({ kind: "status"; status: number; body?: string; headers?: Record<string, string> } & Acting)
  /** 200 with JSON that is not what was asked for. */
  | ({ kind: "garbage"; body?: string } & Acting)
  /** A mint's own refusal, by NUT error code, whatever the request was. */
  | ({ kind: "refuse"; code: number; detail?: string } & Acting)
  /** 11002, proofs are pending. */
  | ({ kind: "pending" } & Acting)
  | ({ kind: "redirect"; location: string; status?: 301 | 302 | 307 | 308 } & Acting)
  /** It is done, and the signatures in the answer are flawed. With `lasting`, a restore gives the flawed ones too. */
  | { kind: "flawed"; flaw: SignatureFlaw; lasting?: boolean };

export type SignatureFlaw =
  | "too-few"
  | "too-many"
  | "wrong-amount"
  | "wrong-keyset"
  | "invalid-signature"
  | "no-dleq";

export interface MintRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** Counts the requests to this method and path, from 1. */
  number: number;
}

export type FaultRule = (request: MintRequest) => Fault | undefined;
