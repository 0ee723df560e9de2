import { isDeepStrictEqual } from "node:util";
import { boundary } from "../boundary.ts";
import type { Mutex } from "../mutex.ts";
import type { Bought } from "../protocol/price.ts";
import type { AddressPool } from "./address-pool.ts";
import type { ClockGuard } from "./clock-guard.ts";
import type { LimitKeeper } from "./limit-keeper.ts";
import { type Enforcement, EnforcementError, type InterfaceTrouble } from "./ports.ts";
import type { Session } from "./session-row.ts";
import type { SessionStore } from "./session-store.ts";
import { bytesLeft } from "./terms.ts";

interface AdmissionParts {
  store: SessionStore;
  pool: Pick<AddressPool, "inBoth">;
  enforcement: Enforcement;
  limits: LimitKeeper;
  guard: ClockGuard;
  /** The keeper's own: nothing else touches the interface meanwhile. */
  exclusively: Mutex;
  wallMs: () => number;
}

interface Waiting {
  sessionId: string;
  bought: Bought;
  commit: (now: number) => void;
  resolve: (isAdmitted: boolean) => void;
  reject: (error: unknown) => void;
}

/** Whose turn it is, with the session as it is now. */
interface Admission extends Waiting {
  session: Session;
}

/** How many are admitted at once; the others wait for the next call. */
const MOST_AT_ONCE = 100;

/**
 * Puts peers up that were paid for: the limits first, so that no address passes without its own, then the peer, then
 * the book. Those that wait for the interface share one call.
 */
export function createAdmissions({
  store,
  pool,
  enforcement,
  limits,
  guard,
  exclusively,
  wallMs,
}: AdmissionParts) {
  let waiting: Waiting[] = [];

  /** One of each key: what it is to have depends on what the one before got. */
  function nextTogether(): Admission[] {
    const together = new Map<string, Admission>();
    const later: Waiting[] = [];
    for (const each of waiting) {
      const session = store.find(each.sessionId);
      if (!session) each.reject(new Error("a sale names a session that the book does not have"));
      else if (session.status === "revoked") each.resolve(false);
      else if (together.size === MOST_AT_ONCE || together.has(session.publicKey)) later.push(each);
      else together.set(session.publicKey, { ...each, session });
    }
    waiting = later;
    return [...together.values()];
  }

  async function admitTogether(together: readonly Admission[]): Promise<void> {
    const now = guard.check();
    if (now === undefined) throw clockInDoubt(guard);
    await bringCountsUpToDate(together, now);
    const nowMs = wallMs();
    const expected = new Map(
      together.map(({ sessionId, bought }) => [sessionId, store.limitWith(sessionId, bought, now, nowMs)]),
    );
    await limits.set([...expected.values()]);
    boundary("peer-unadmitted");
    const { rejected } = await enforcement.apply({ set: together.map(peerOf), remove: [] });
    boundary("peer-admitted");
    const grantedAt = guard.check() ?? now;
    const granted = together.filter((each) => writeDown(each, rejected, grantedAt));
    // Putting it up took a while that is not the buyer's, or the book counts from another moment.
    const changed = granted.filter(
      ({ sessionId }) => !isDeepStrictEqual(store.limit(sessionId, nowMs), expected.get(sessionId)),
    );
    if (changed.length === 0) return;
    const late = changed.map(({ sessionId }) => store.limit(sessionId, wallMs()));
    await limits.set(late).catch(leftToTheTick);
  }

  /** A purchase is added to what is left, so that has to be known to the byte. */
  async function bringCountsUpToDate(together: readonly Admission[], now: number): Promise<void> {
    const someIsCounted = together.some(
      ({ session }) => session.status === "active" && bytesLeft(session.terms) > 0,
    );
    if (!someIsCounted) return;
    const counts = await limits.look(false);
    const trouble = limits.trouble();
    if (trouble) throw new EnforcementError(trouble);
    store.countOf(new Set(together.map(({ session }) => session.publicKey)), counts, now);
  }

  function peerOf({ session }: Admission) {
    const { publicKey, address } = session;
    return { publicKey, addresses: [...new Set([...store.addressesOf(publicKey), ...pool.inBoth(address)])] };
  }

  function writeDown(each: Admission, rejected: readonly string[], grantedAt: number): boolean {
    try {
      if (rejected.includes(each.session.publicKey)) throw new EnforcementError(notTaken);
      each.commit(grantedAt);
      each.resolve(true);
      return true;
    } catch (error) {
      limits.mistrust();
      each.reject(error);
      return false;
    }
  }

  /**
   * Puts a session's peer up, then lets the caller write down that it did, before anything else touches the
   * interface. False when the session was revoked meanwhile, and nothing was done. Throws `EnforcementError`; nothing
   * is written then.
   */
  return async function admit(
    sessionId: string,
    bought: Bought,
    commit: (now: number) => void,
  ): Promise<boolean> {
    const admitted = new Promise<boolean>((resolve, reject) => {
      waiting.push({ sessionId, bought, commit, resolve, reject });
    });
    // Each call asks for a turn, and each turn deals with at least one: nobody is left waiting.
    const turn = exclusively(async () => {
      const together = nextTogether();
      try {
        if (together.length > 0) await admitTogether(together);
      } catch (error) {
        limits.mistrust();
        for (const { reject } of together) reject(error);
      }
    });
    const [isAdmitted] = await Promise.all([admitted, turn]);
    return isAdmitted;
  };
}

const notTaken: InterfaceTrouble = {
  code: "not-answering",
  message: "the WireGuard interface did not take the peer",
};

function clockInDoubt(guard: ClockGuard): EnforcementError {
  return new EnforcementError({ code: "not-answering", message: guard.doubt() ?? "the clock is in doubt" });
}

function leftToTheTick(error: unknown): void {
  if (!(error instanceof EnforcementError)) throw error;
}
