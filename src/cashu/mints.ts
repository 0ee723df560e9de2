import type { Clock } from "../clock.ts";
import { normaliseMintUrl } from "../protocol/mint-url.ts";
import type { MintLink, TokenReader } from "../sales/ports.ts";
import type { ProofStates } from "../wallet/ports.ts";
import { type AcceptedMint, createMint } from "./mint.ts";
import { createMintHttp } from "./mint-http.ts";
import { createPreparingSlots } from "./preparing-slots.ts";
import { createProofStates } from "./proof-states.ts";
import { createMintLink } from "./swap-link.ts";
import { createTokenReader } from "./token-reader.ts";

/** Everything that the daemon has to do with ecash. */
export interface Mints {
  /** By normalised URL, as a decoded token names it. */
  find(mintKey: string): AcceptedMint | undefined;
  /** In the order of the configuration, each once. */
  all(): AcceptedMint[];
  /** Asks every mint for its keysets; to be called every half minute. Never throws. */
  refresh(): Promise<void>;
  link: MintLink;
  /** Of any mint, also one that left the configuration. */
  proofs: ProofStates;
  reader: TokenReader;
}

export interface MintsSettings {
  /** Accepted mints as configured. */
  mintUrls: string[];
  /** The operator's P2PK key pair: 64 hex, and 66 hex with parity. */
  privkeyHex: string;
  pubkeyHex: string;
  /** Fee borne per sale, in sat (rule 12). */
  maxFeeSat: number;
  clock: Clock;
  /** For each request to a mint; 10 s when left out. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}

/** Throws `RangeError` for a mint URL that is none. */
export function createMints(settings: MintsSettings): Mints {
  const http = createMintHttp(settings);
  const slots = createPreparingSlots();
  const mints = new Map<string, AcceptedMint>();
  for (const url of settings.mintUrls) {
    const key = normaliseMintUrl(url);
    if (key === undefined) throw new RangeError("a mint's URL is not an http(s) URL");
    if (!mints.has(key)) mints.set(key, createMint({ ...settings, key, url, http, slots }));
  }
  const all = [...mints.values()];
  return {
    find: (mintKey) => mints.get(mintKey),
    all: () => all,
    refresh: async () => {
      await Promise.all(all.map((mint) => mint.refresh()));
    },
    link: createMintLink(http),
    proofs: createProofStates(http),
    reader: createTokenReader({ pubkeyHex: settings.pubkeyHex, mintUrls: all.map((mint) => mint.url) }),
  };
}
