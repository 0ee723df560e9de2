import type * as z from "zod";
import { describePrice } from "../protocol/price.ts";
import { createOperatorActsStore } from "../tunnels/operator-acts-store.ts";
import { EnforcementError, type SeenPeer } from "../tunnels/ports.ts";
import type { RateStep } from "../tunnels/rate-steps.ts";
import { createSessionLookupStore } from "../tunnels/session-lookup-store.ts";
import type { Session } from "../tunnels/session-row.ts";
import { unlimited } from "../tunnels/terms.ts";
import type { Context } from "./context.ts";
import type { Records } from "./records.ts";
import {
  type Refused,
  type SessionDetails,
  type SessionList,
  type SessionReport,
  sessionExtendRequestSchema,
  type sessionExtendSchema,
  sessionListRequestSchema,
  sessionRevokeRequestSchema,
  type sessionRevokeSchema,
  sessionShowRequestSchema,
} from "./sessions-report.ts";
import type { Tunnels } from "./tunnels.ts";

/** What one answer holds of a book of years. */
const MOST_LISTED = 1000;
const SHORT_KEY = 8;

interface DeskParts extends Pick<Records, "book" | "sessions" | "guard"> {
  sales: Pick<Records["sales"], "ofSession" | "detachOpen">;
  control: Pick<Records["control"], "serve">;
}

/** Sessions in the operator's hands: looked at, ended, and made good for what went wrong. */
export function serveSessions(
  { logger }: Pick<Context, "logger">,
  { book, sessions, sales, guard, control }: DeskParts,
  { keeper, enforcement }: { keeper: Tunnels["keeper"]; enforcement: Pick<Tunnels["enforcement"], "look"> },
): void {
  const lookup = createSessionLookupStore(book);
  const acts = createOperatorActsStore(book, sessions);

  async function list({ all }: z.infer<typeof sessionListRequestSchema>): Promise<SessionList> {
    const peers = await seenPeers();
    const found = all ? lookup.newest(MOST_LISTED) : lookup.running();
    return {
      sessions: found.map((session) => report(session, ratesOf(session), peers)),
      leftOut: all ? Math.max(0, lookup.count() - found.length) : 0,
    };
  }

  async function show(which: string): Promise<SessionDetails | Refused> {
    const found = find(which);
    if ("refused" in found) return found;
    return {
      session: report(found, ratesOf(found), await seenPeers()),
      sales: sales.ofSession(found.sessionId).map(({ saleId, method, state, price, faceSat, createdAt }) => ({
        saleId,
        method,
        state,
        tier: describePrice(price),
        faceSat,
        createdAt,
      })),
      acts: acts.ofSession(found.sessionId),
    };
  }

  async function revoke(
    asked: z.infer<typeof sessionRevokeRequestSchema>,
  ): Promise<z.infer<typeof sessionRevokeSchema>> {
    const found = find(asked.which);
    if ("refused" in found) return found;
    const { sessionId } = found;
    let underWay = 0;
    const done = await keeper.revoke(sessionId, () => {
      // By a clock that ran ahead, the address would be held until then.
      const at = guard.check() ?? guard.lastSeen();
      return acts.revoke(sessionId, asked.reason, at, () => {
        underWay = sales.detachOpen(sessionId, at);
      });
    });
    if (done === "did-not-run") return doesNotRun(found);
    logger.info({ event: "session-revoked", underWay }, "the operator ended a session");
    return { session: reportNow(found), peerOff: done === "off", underWay };
  }

  async function extend(
    asked: z.infer<typeof sessionExtendRequestSchema>,
  ): Promise<z.infer<typeof sessionExtendSchema>> {
    const found = find(asked.which);
    if ("refused" in found) return found;
    const { which, ...extension } = asked;
    const at = guard.check();
    if (at === undefined) return { refused: guard.doubt() ?? "the clock is in doubt" };
    if (!acts.extend(found.sessionId, extension, at)) {
      return unlimited(found.terms)
        ? { refused: "this session runs without an end already" }
        : doesNotRun(found);
    }
    logger.info({ event: "session-extended", ...extension }, "the operator made up for something");
    // The kernel's own limits for it are raised too, before the operator hears that they are.
    await keeper.extended(found.sessionId);
    return { session: reportNow(found) };
  }

  function find(which: string): Session | Refused {
    const found = lookup.find(which);
    if (found.kind === "one") return found.session;
    return {
      refused:
        found.kind === "several"
          ? `several sessions begin with ${which}: write more of it`
          : `no session is ${which}, or has this address now; "sessions list --all" has the ended ones too`,
    };
  }

  function reportNow({ sessionId }: Session): SessionReport {
    const session = sessions.find(sessionId);
    if (!session) throw new Error("the book has lost a session that was just written");
    return report(session, ratesOf(session), new Map());
  }

  function ratesOf(session: Session): RateStep[] {
    return sessions.rates(session, guard.check() ?? guard.lastSeen());
  }

  /** By public key; empty while the interface does not answer. */
  async function seenPeers(): Promise<ReadonlyMap<string, SeenPeer>> {
    try {
      return new Map((await enforcement.look()).peers.map((peer) => [peer.publicKey, peer]));
    } catch (error) {
      if (!(error instanceof EnforcementError)) throw error;
      return new Map();
    }
  }

  control.serve("sessions-list", async (asked) => list(sessionListRequestSchema.parse(asked)));
  control.serve("sessions-show", async (asked) => show(sessionShowRequestSchema.parse(asked).which));
  control.serve("sessions-revoke", async (asked) => revoke(sessionRevokeRequestSchema.parse(asked)));
  control.serve("sessions-extend", async (asked) => extend(sessionExtendRequestSchema.parse(asked)));
}

function report(session: Session, rates: RateStep[], peers: ReadonlyMap<string, SeenPeer>): SessionReport {
  const { sessionId, publicKey, address, status, purchasedAt, expiresAt, endedAt, terms } = session;
  const peer = status === "active" ? peers.get(publicKey) : undefined;
  return {
    sessionId,
    shortKey: publicKey.slice(0, SHORT_KEY),
    address,
    status,
    purchasedAt,
    expiresAt,
    endedAt,
    timeUntil: terms.timeUntil,
    quotaBytes: terms.quotaBytes,
    usedBytes: terms.usedBytes,
    dataUntil: terms.dataUntil,
    rates: status === "active" ? rates : [],
    peer: peer === undefined ? null : { lastHandshakeAt: peer.lastHandshakeAt || null },
  };
}

function doesNotRun({ status }: Session): Refused {
  return {
    refused:
      status === "pending"
        ? "this session has not begun, or has ended: a sale for it is under way"
        : `this session is over: it is ${status}`,
  };
}
