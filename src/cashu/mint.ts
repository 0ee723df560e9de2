import type { Clock } from "../clock.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { Mint } from "../sales/ports.ts";
import { createKnownKeysets } from "./known-keysets.ts";
import type { MintHttp } from "./mint-http.ts";
import { prepareRefund, prepareSwap, renewSwap } from "./prepare-swap.ts";
import type { PreparingSlots } from "./preparing-slots.ts";

/** Keysets older than this are no ground to sell on (rule 7). */
const MAX_AGE_SECONDS = 60;

export interface MintStatus {
  reachable: boolean;
  /** Unix seconds of its last keysets. */
  answeredAt: number | undefined;
  /** Why it cannot be used, for the operator. */
  trouble: string | undefined;
  /** It answered a swap wrongly. */
  isShutOff: boolean;
}

/** An accepted mint with what the daemon does to it beside sales. */
export interface AcceptedMint extends Mint {
  /** Asks for its keysets; false when they did not come. */
  refresh(): Promise<boolean>;
  /** No swap is prepared here any more, until the process is started again (rule 10). */
  shutOff(reason: string): void;
  status(): MintStatus;
}

export interface MintSettings {
  /** Normalised URL. */
  key: string;
  /** As configured. */
  url: string;
  privkeyHex: string;
  maxFeeSat: number;
  clock: Clock;
  http: MintHttp;
  slots: PreparingSlots;
}

export function createMint(settings: MintSettings): AcceptedMint {
  const { key, url, clock, http } = settings;
  const keysets = createKnownKeysets(url, http, clock);
  const preparation = { ...settings, mintUrl: url, keysets };
  let shutOffReason: string | undefined;

  /** Undefined when it can be used. */
  function trouble(): string | undefined {
    if (shutOffReason !== undefined) return `shut off: ${shutOffReason}`;
    const answeredAt = keysets.answeredAt();
    if (answeredAt === undefined || clock.now() - answeredAt > MAX_AGE_SECONDS) {
      return keysets.trouble() ?? "its keysets were not fetched lately";
    }
    return keysets.forOutputs().length === 0 ? "it has no active keyset for sat" : undefined;
  }

  function refuseInTrouble(): void {
    if (trouble() === undefined) return;
    throw new Refusal("mint-unreachable", "the token's mint cannot be used now; nothing was spent", {
      retryAfterSeconds: 60,
    });
  }

  return {
    key,
    url,
    reachable: () => trouble() === undefined,
    prepareSwap: async (token) => {
      refuseInTrouble();
      return prepareSwap(preparation, token);
    },
    prepareRefund: async (token, lockedTo) => {
      refuseInTrouble();
      return prepareRefund(preparation, token, lockedTo);
    },
    renewSwap: async (journal) => (shutOffReason === undefined ? renewSwap(preparation, journal) : undefined),
    refresh: () => keysets.refresh(),
    shutOff: (reason) => {
      shutOffReason ??= reason;
    },
    status: () => ({
      reachable: trouble() === undefined,
      answeredAt: keysets.answeredAt(),
      trouble: trouble(),
      isShutOff: shutOffReason !== undefined,
    }),
  };
}
