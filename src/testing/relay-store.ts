import type { Event } from "nostr-tools/core";
import { type Filter, matchFilter } from "nostr-tools/filter";
import { EventDeletion, isAddressableKind, isEphemeralKind, isReplaceableKind } from "nostr-tools/kinds";

export type InsertResult = "stored" | "ephemeral" | "duplicate" | "replaced" | "deleted";

export interface RelayStore {
  insert(event: Event): InsertResult;
  /** Newest first, the lower id first in a tie (NIP-01); no filter gives more than `maxResults`. */
  query(filters: readonly Filter[], maxResults: number): Event[];
  all(): Event[];
  /** As a relay that cleans up: these are gone, and may come again. */
  forget(matches: (event: Event) => boolean): void;
}

/** What a relay keeps: NIP-01 storage classes and NIP-09 deletions, in memory. */
export function createRelayStore(): RelayStore {
  const byId = new Map<string, Event>();
  const idByCoordinate = new Map<string, string>();
  /** `id pubkey` of single events and `coordinate` → latest created_at that is deleted (NIP-09). */
  const deletedIds = new Set<string>();
  const deletedUntil = new Map<string, number>();

  const forget = (event: Event) => {
    byId.delete(event.id);
    const coordinate = coordinateOf(event);
    if (coordinate && idByCoordinate.get(coordinate) === event.id) idByCoordinate.delete(coordinate);
  };

  const applyDeletion = (request: Event) => {
    for (const [name, value] of request.tags) {
      if (value === undefined) continue;
      if (name === "e") {
        deletedIds.add(`${value} ${request.pubkey}`);
        const target = byId.get(value);
        if (target && isDeleted(target)) forget(target);
      }
      if (name === "a" && value.split(":")[1] === request.pubkey) {
        deletedUntil.set(value, Math.max(deletedUntil.get(value) ?? 0, request.created_at));
        const target = byId.get(idByCoordinate.get(value) ?? "");
        if (target && isDeleted(target)) forget(target);
      }
    }
  };

  /** A deletion request cannot be deleted (NIP-09). */
  const isDeleted = (event: Event): boolean => {
    if (event.kind === EventDeletion) return false;
    if (deletedIds.has(`${event.id} ${event.pubkey}`)) return true;
    const until = deletedUntil.get(coordinateOf(event) ?? "");
    return until !== undefined && event.created_at <= until;
  };

  return {
    forget(matches) {
      for (const event of [...byId.values()].filter(matches)) forget(event);
    },
    insert(event) {
      if (isEphemeralKind(event.kind)) return "ephemeral";
      if (byId.has(event.id)) return "duplicate";
      if (isDeleted(event)) return "deleted";
      const coordinate = coordinateOf(event);
      if (coordinate) {
        const present = byId.get(idByCoordinate.get(coordinate) ?? "");
        if (present && newestFirst(present, event) < 0) return "replaced";
        if (present) byId.delete(present.id);
        idByCoordinate.set(coordinate, event.id);
      }
      byId.set(event.id, event);
      if (event.kind === EventDeletion) applyDeletion(event);
      return "stored";
    },

    query(filters, maxResults) {
      const sorted = [...byId.values()].sort(newestFirst);
      const found = new Set<Event>();
      for (const filter of filters) {
        const limit = Math.min(filter.limit ?? maxResults, maxResults);
        const matches = sorted.filter((event) => matchFilter(filter, event));
        for (const event of matches.slice(0, limit)) found.add(event);
      }
      return [...found].sort(newestFirst);
    },

    all: () => [...byId.values()].sort(newestFirst),
  };
}

function newestFirst(a: Event, b: Event): number {
  return b.created_at - a.created_at || (a.id < b.id ? -1 : 1);
}

/** `kind:pubkey:d`, the form of an `a` tag; undefined for an event that nothing replaces. */
function coordinateOf(event: Event): string | undefined {
  if (isReplaceableKind(event.kind)) return `${event.kind}:${event.pubkey}:`;
  if (!isAddressableKind(event.kind)) return undefined;
  const d = event.tags.find(([name]) => name === "d")?.[1] ?? "";
  return `${event.kind}:${event.pubkey}:${d}`;
}
