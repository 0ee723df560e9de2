import { setTimeout as sleep } from "node:timers/promises";
import type { Bookkeeper } from "../books/bookkeeper.ts";
import { createPrivateMessages } from "../nostr/private-messages.ts";
import { createHeartbeat } from "../notes/heartbeat.ts";
import { createNoteOutbox, type Note } from "../notes/note-outbox.ts";
import { pulseWords, saleWords, troubleWords } from "../notes/note-words.ts";
import { createSummaryStore } from "../notes/summary-store.ts";
import { createToldTroubles } from "../notes/told-troubles.ts";
import { createTroubleBoard, type TroubleBoard, type TroubleNote } from "../notes/trouble-board.ts";
import type { Context } from "./context.ts";
import { findTroubles } from "./find-troubles.ts";
import type { OpenSales } from "./open-sales.ts";
import type { Records } from "./records.ts";
import type { Tunnels } from "./tunnels.ts";
import type { Wallet } from "./wallet.ts";
import { watchHandshakes } from "./watch-handshakes.ts";

const LOOK_MS = 1_000;
const HANDSHAKES_MS = 10_000;
/** What a shutdown waits for the last notes. */
const LAST_NOTES_WITHIN_MS = 5_000;

interface NotesParts {
  records: Records;
  tunnels: Tunnels;
  openSales: OpenSales;
  wallet: Wallet;
  bookkeeping: Pick<Bookkeeper, "balanced">;
}

/** Knows what is wrong, and tells the operator that and what was sold, if he wants to be told. */
export function startNotes(context: Context, parts: NotesParts): Pick<TroubleBoard, "troubles"> {
  const { config, clock, nowMs, life } = context;
  const { now } = clock;
  const { records, tunnels, openSales, wallet, bookkeeping } = parts;
  const { facts, guard, sales, database } = records;
  const { mints, settlement, lightning, saleFeed, handshakes } = openSales;
  const desk = createDesk(context, parts);
  const told = config.notifications && createToldTroubles(facts);
  const board = createTroubleBoard({ now, nowMs, told: told?.read() });
  const sources = {
    database,
    guard,
    keeper: tunnels.keeper,
    mints,
    settlement,
    sales,
    relays: wallet.relays,
    wallet: config.cashu && wallet.store,
    node: lightning?.watch,
    booksBalanced: bookkeeping.balanced,
    handshakes,
    endpoint: config.wireguard.endpoint,
    now,
  };

  function lookAround(): void {
    for (const note of board.look(findTroubles(sources))) {
      logTrouble(context, note);
      desk.post("trouble", troubleWords(note));
    }
    for (const note of saleFeed.take()) desk.post("sale", saleWords(note));
  }

  // In memory nobody ever shakes hands.
  if (config.wireguard.mode === "kernel") {
    life.job("handshakes", HANDSHAKES_MS, async () => {
      const before = handshakes.isClosed();
      await watchHandshakes(tunnels, records.sessions, handshakes);
      if (handshakes.isClosed() !== before) life.changed();
    });
  }
  life.job("notes", LOOK_MS, () => {
    lookAround();
    if (database.writable()) {
      told?.keep(board.troubles());
      desk.beat(board);
    }
    // Not waited for: a relay that is slow must not hold up the next look.
    void desk.flush();
  });
  life.onClose(async () => {
    for (const note of saleFeed.rest()) desk.post("sale", saleWords(note));
    await Promise.race([desk.flush(), sleep(LAST_NOTES_WITHIN_MS, undefined, { ref: false })]);
  });
  return board;
}

interface Desk {
  post(about: Note["about"], words: string): void;
  /** A sign of life, when one is due. */
  beat(board: Pick<TroubleBoard, "troubles">): void;
  flush(): Promise<void>;
}

const silentDesk: Desk = { post: () => undefined, beat: () => undefined, flush: () => Promise.resolve() };

function createDesk({ config, logger, clock, nowMs }: Context, { records, wallet }: NotesParts): Desk {
  if (!config.notifications) return silentDesk;
  const { pubkey: recipient, heartbeatHours: everyHours } = config.notifications;
  const { book, facts, guard, pool, sessions } = records;
  const { relays, secretKey } = wallet;
  const carrier = createPrivateMessages({ relays, secretKey, recipient, clock, nowMs, logger });
  const outbox = createNoteOutbox({ carrier, nowMs, logger });
  const heartbeat = createHeartbeat({ facts, everyHours, now: clock.now });
  const summary = createSummaryStore(book);
  const post: Desk["post"] = (about, words) =>
    outbox.post({ about, text: `${config.server.publicHost}\n${words}` });
  return {
    post,
    beat(board) {
      // A wrong clock would put the next one anywhere.
      const since = guard.doubt() === undefined ? heartbeat.take() : undefined;
      if (since === undefined) return;
      const addresses = { live: sessions.live().length, free: pool.countFree(clock.now(), pool.size) };
      const pulse = {
        summary: summary.since(since),
        since,
        pool: addresses,
        troubles: board.troubles(),
      };
      post("heartbeat", pulseWords(pulse));
    },
    flush: outbox.flush,
  };
}

/** The board's own word in the log, for the parts that log nothing of themselves. */
function logTrouble({ logger }: Context, note: TroubleNote): void {
  if (note.kind === "trouble") logger.warn({ event: "trouble", name: note.trouble.name }, note.trouble.words);
  else if (note.kind === "well")
    logger.info({ event: "trouble-over", name: note.former.name }, "it is well again");
  else
    logger.warn({ event: "trouble-unsteady", name: note.name, changes: note.changes }, "it comes and goes");
}
