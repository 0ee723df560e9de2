import { type Filter, matchFilter } from "nostr-tools/filter";
import { isNostrEvent, type NostrEvent } from "../protocol/event.ts";
import { isAuthenticEvent } from "./authentic-event.ts";
import { tidyRelayText, wantsAuthentication } from "./relay-answer.ts";
import type { RelayAuth } from "./relay-auth.ts";

export type RelayEvents = { url: string; events: NostrEvent[] } | { url: string; silent: string };

export interface RelayQueries {
  /** All stored events that match, verified, page by page to the empty one; the deadline holds for each page. */
  query(filter: Filter, deadlineMs: number): Promise<RelayEvents>;
  takeEvent(subscriptionId: string, event: unknown): void;
  takeEnd(subscriptionId: string): void;
  takeClosed(subscriptionId: string, text: unknown): void;
  /** Ends what is under way, as silence, for this reason. */
  abandon(why: string): void;
}

export interface RelayQueriesOptions {
  url: string;
  whenConnected(timeoutMs: number): Promise<boolean>;
  send(message: unknown[]): void;
  auth: Pick<RelayAuth, "accepted" | "whenAccepted">;
}

type Page = { events: NostrEvent[] } | { silent: string; wantsAuthentication?: boolean };

interface OpenPage {
  filter: Filter;
  events: Map<string, NostrEvent>;
  settle(page: Page): void;
}

/** NIP-01 REQ, EVENT, EOSE and CLOSED on one connection. */
export function createRelayQueries({ url, whenConnected, send, auth }: RelayQueriesOptions): RelayQueries {
  const open = new Map<string, OpenPage>();
  let count = 0;

  const end = (id: string, page: Page) => {
    const ended = open.get(id);
    open.delete(id);
    ended?.settle(page);
  };

  async function readPage(filter: Filter, deadlineMs: number): Promise<Page> {
    if (!(await whenConnected(deadlineMs))) return { silent: "could not connect" };
    count += 1;
    const id = `q${count}`;
    let timer: NodeJS.Timeout | undefined;
    const page = await new Promise<Page>((settle) => {
      timer = setTimeout(() => end(id, { silent: `no answer within ${deadlineMs} ms` }), deadlineMs);
      open.set(id, { filter, events: new Map(), settle });
      send(["REQ", id, filter]);
    });
    clearTimeout(timer);
    send(["CLOSE", id]);
    return page;
  }

  async function readPageAuthenticated(filter: Filter, deadlineMs: number): Promise<Page> {
    const page = await readPage(filter, deadlineMs);
    if ("events" in page || !page.wantsAuthentication) return page;
    await auth.whenAccepted(deadlineMs);
    return auth.accepted() ? readPage(filter, deadlineMs) : page;
  }

  return {
    async query(filter, deadlineMs) {
      const found = new Map<string, NostrEvent>();
      let until = filter.until;
      for (;;) {
        const page = await readPageAuthenticated(
          until === undefined ? filter : { ...filter, until },
          deadlineMs,
        );
        if ("silent" in page) return { url, silent: page.silent };
        if (page.events.length === 0) return { url, events: [...found.values()] };
        const fresh = page.events.filter((event) => !found.has(event.id));
        for (const event of fresh) found.set(event.id, event);
        // `until` is inclusive, and others may share that second: go below it only when nothing new came.
        const oldest = Math.min(...page.events.map((event) => event.created_at));
        until = fresh.length > 0 ? oldest : oldest - 1;
        if (until < 0) return { url, events: [...found.values()] };
      }
    },
    takeEvent(subscriptionId, event) {
      const page = open.get(subscriptionId);
      if (page === undefined || !isNostrEvent(event) || page.events.has(event.id)) return;
      if (matchFilter(page.filter, event) && isAuthenticEvent(event)) page.events.set(event.id, event);
    },
    takeEnd(subscriptionId) {
      end(subscriptionId, { events: [...(open.get(subscriptionId)?.events.values() ?? [])] });
    },
    takeClosed(subscriptionId, text) {
      end(subscriptionId, { silent: tidyRelayText(text), wantsAuthentication: wantsAuthentication(text) });
    },
    abandon(why) {
      for (const id of [...open.keys()]) end(id, { silent: why });
    },
  };
}
