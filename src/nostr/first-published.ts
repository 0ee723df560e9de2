import { type NostrEvent, tagValues } from "../protocol/event.ts";

/** When each listing first stood on a relay, by its `d` tag, in unix seconds. */
export interface FirstPublished {
  get(dTag: string): number | undefined;
  set(dTag: string, at: number): void;
}

/** Keeps it among the book's facts. */
export function firstPublishedIn(facts: {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}): FirstPublished {
  const name = (dTag: string) => `first-published:${dTag}`;
  return {
    get(dTag) {
      const at = Number(facts.get(name(dTag)));
      return Number.isSafeInteger(at) && at > 0 ? at : undefined;
    },
    set: (dTag, at) => facts.set(name(dTag), String(at)),
  };
}

/** `published_at` as a listing on a relay states it (NIP-99). */
export function publishedAtOf(event: NostrEvent): number | undefined {
  const at = Number(tagValues(event, "published_at")[0]);
  return Number.isSafeInteger(at) && at > 0 ? at : undefined;
}
