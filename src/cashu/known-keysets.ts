import type { Clock } from "../clock.ts";
import { type KeysetInfo, keysetListSchema, type MintKeys, usableKeysets, verifiedKeys } from "./keysets.ts";
import type { MintHttp } from "./mint-http.ts";

/** Keysets for outputs that are fetched at each refresh, cheapest first. */
const MAX_ACTIVE = 16;
/** An unknown id, which any stranger can make up, asks the mint at most this often. */
const UNKNOWN_ID_INTERVAL_SECONDS = 5;

/** What one mint has told of its keysets of unit sat. Keys never change under an id and are kept. */
export interface KnownKeysets {
  /** Fetches list and active keys anew; calls while one is under way share it. False when the mint was silent. */
  refresh(): Promise<boolean>;
  /** As `refresh`, but rests on an answer of the last seconds. */
  refreshForUnknownId(): Promise<boolean>;
  /** Unix seconds of the last list that came. */
  answeredAt(): number | undefined;
  /** Why the last refresh failed. */
  trouble(): string | undefined;
  /** By full id, or by a version 2 id shortened to 16 characters (NUT-02). */
  find(spelledId: string): KeysetInfo | "ambiguous" | undefined;
  /** Asks the mint when they are not known yet. */
  keysOf(info: KeysetInfo): Promise<MintKeys | "silent" | "unusable">;
  /** Keysets that may sign now and whose keys are known, lowest fee first. */
  forOutputs(): { info: KeysetInfo; keys: MintKeys }[];
}

export function createKnownKeysets(mintUrl: string, http: MintHttp, clock: Clock): KnownKeysets {
  let infos: KeysetInfo[] = [];
  let answeredAt: number | undefined;
  let trouble: string | undefined;
  let underWay: Promise<boolean> | undefined;
  const knownKeys = new Map<string, MintKeys>();

  async function fetchAll(): Promise<boolean> {
    const answer = await http.get(mintUrl, "/v1/keysets", keysetListSchema);
    if (answer.kind !== "ok") {
      trouble = answer.kind === "refused" ? `refused with code ${answer.code}` : answer.why;
      return false;
    }
    infos = usableKeysets(answer.value.keysets);
    await Promise.all(activeNow().slice(0, MAX_ACTIVE).map(keysOf));
    answeredAt = clock.now();
    trouble = undefined;
    return true;
  }

  function refresh(): Promise<boolean> {
    underWay ??= fetchAll().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  async function keysOf(info: KeysetInfo): Promise<MintKeys | "silent" | "unusable"> {
    const known = knownKeys.get(boundFacts(info));
    if (known) return known;
    const answer = await http.get(mintUrl, `/v1/keys/${info.id}`, keysetListSchema);
    if (answer.kind === "unclear") return "silent";
    const keys = answer.kind === "ok" ? verifiedKeys(info, answer.value.keysets) : undefined;
    if (keys === undefined) return "unusable";
    knownKeys.set(boundFacts(info), keys);
    return keys;
  }

  function activeNow(): KeysetInfo[] {
    const now = clock.now();
    return infos
      .filter((info) => info.active && (info.finalExpiry === undefined || info.finalExpiry > now))
      .sort((a, b) => a.inputFeePpk - b.inputFeePpk);
  }

  return {
    refresh,
    refreshForUnknownId: async () => {
      const stale = answeredAt === undefined || clock.now() - answeredAt >= UNKNOWN_ID_INTERVAL_SECONDS;
      return stale ? refresh() : true;
    },
    answeredAt: () => answeredAt,
    trouble: () => trouble,
    find: (spelledId) => {
      const id = spelledId.toLowerCase();
      const exact = infos.find((info) => info.id.toLowerCase() === id);
      if (exact || !/^01[0-9a-f]{14}$/.test(id)) return exact;
      const matching = infos.filter((info) => info.id.toLowerCase().startsWith(id));
      return matching.length > 1 ? "ambiguous" : matching[0];
    },
    keysOf,
    forOutputs: () =>
      activeNow().flatMap((info) => {
        const keys = knownKeys.get(boundFacts(info));
        return keys ? [{ info, keys }] : [];
      }),
  };
}

/** A version 2 id binds fee and expiry too: keys proven with one fee are not proven with another. */
function boundFacts({ id, inputFeePpk, finalExpiry }: KeysetInfo): string {
  return JSON.stringify([id, inputFeePpk, finalExpiry]);
}
