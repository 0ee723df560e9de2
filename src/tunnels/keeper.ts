import type { Logger } from "pino";
import { boundary } from "../boundary.ts";
import { createMutex } from "../mutex.ts";
import type { AddressPool } from "./address-pool.ts";
import { createAdmissions } from "./admissions.ts";
import type { ClockGuard } from "./clock-guard.ts";
import { createForeignPeers } from "./foreign-peers.ts";
import type { KernelCounts, LimitKeeper } from "./limit-keeper.ts";
import { createPeerWatch } from "./peer-watch.ts";
import {
  type Enforcement,
  EnforcementError,
  type InterfaceTrouble,
  type InterfaceView,
  type PeerChange,
} from "./ports.ts";
import { compare, type Difference } from "./reconcile.ts";
import type { EndedSession, SessionStore } from "./session-store.ts";

export type Keeper = ReturnType<typeof createKeeper>;

interface KeeperParts {
  store: SessionStore;
  pool: AddressPool;
  enforcement: Enforcement;
  limits: LimitKeeper;
  guard: ClockGuard;
  /** Unix ms. */
  wallMs: () => number;
  /** Take peers off that the book does not know. */
  exclusive: boolean;
  logger: Logger;
  /** Something changed that may decide whether we can sell. */
  onChange: () => void;
}

/** So often everything is compared, news or not: once a minute, unless told otherwise. */
const THOROUGH_EVERY_TICKS = 12;

/** So many keys are read each for itself; more than these all together, which is faster. */
const MOST_ONE_BY_ONE = 1_000;

/**
 * Keeps the interface as the book has it: ends what is over, counts traffic, puts back what is missing. One section
 * at a time touches the interface, so that a tick never takes off the peer that a grant is putting up.
 */
export function createKeeper(parts: KeeperParts) {
  const { store, pool, enforcement, limits, guard, wallMs, exclusive, logger, onChange } = parts;
  const exclusively = createMutex();
  const admit = createAdmissions({ store, pool, enforcement, limits, guard, exclusively, wallMs });
  const watch = createPeerWatch(store.takeTouchedKeys);
  const foreign = createForeignPeers(pool);
  let interfaceTrouble: InterfaceTrouble | undefined = notLookedYet;
  let ticks = 0;
  /** The last tick did not come to its end: what it took as news may be left undone. */
  let isUnsettled = false;
  let countedSince = guard.lastSeen();
  let rejectedBefore = 0;
  let glancing: Promise<void> | undefined;

  /** Looks, counts, ends, compares, applies. What is wrong with the interface shows in `trouble`; throws for the book. */
  async function tick(): Promise<void> {
    await exclusively(async () => {
      const isThorough = store.othersWrote() || isUnsettled || ticks % THOROUGH_EVERY_TICKS === 0;
      ticks += 1;
      isUnsettled = true;
      let unwritten: unknown;
      try {
        // First: what passes between the two looks is in the later counters, and would be charged again were these lost.
        const counts = await limits.look(isThorough);
        const view = await enforcement.look();
        const [left, trouble] = await Promise.all([
          bringInLine(view, counts, isThorough),
          enforcement.trouble(view),
        ]);
        unwritten = left;
        isUnsettled = unwritten !== undefined || limits.trouble() !== undefined;
        setTrouble(trouble ?? limits.trouble());
      } catch (error) {
        if (!(error instanceof EnforcementError)) throw error;
        setTrouble(error.trouble);
        unwritten = failureOf(expireInBook);
      }
      if (unwritten !== undefined) throw unwritten;
    });
  }

  /** A full disk stops the books, not the tunnels that run: answers by what could not be written. */
  async function bringInLine(
    view: InterfaceView,
    counts: KernelCounts,
    isThorough: boolean,
  ): Promise<unknown> {
    watch.look(view);
    const now = guard.check();
    let ended: EndedSession[] = [];
    const unwritten = failureOf(() => {
      if (now !== undefined) countTraffic(counts, now, isThorough);
      ended = expireInBook();
    });
    const { change, goneKeys } = judge(watch.takeChanged(), isThorough);
    const nowMs = now === undefined ? guard.lastSeen() * 1000 : wallMs();
    const foreignCidrs = exclusive ? [] : foreign.peers().flatMap((peer) => peer.allowedIps);
    const areLimited = await limits.bringInLine(() => store.limits(nowMs), foreignCidrs, now !== undefined);
    const turned = now === undefined ? [] : store.takeTurned(now);
    if (areLimited && !isThorough) await setLimits(turned);
    if (!areLimited) watch.again(change.set.map(({ publicKey }) => publicKey));
    const putUp = await apply(areLimited ? change : { ...change, set: [] });
    if (ended.length > 0) await releaseLimits(ended);
    const uncounted = failureOf(() => store.countersRestarted(putUp));
    return (
      unwritten ??
      uncounted ??
      failureOf(() => {
        store.readBackAsGone(goneKeys);
        if (now === undefined) return;
        store.lapseOldPending(now);
        store.forgetKeys(now);
      })
    );
  }

  function countTraffic(kernelCounts: KernelCounts, now: number, isThorough: boolean): void {
    const passed = watch.takePassed();
    const { peers } = watch;
    const isAll = isThorough || passed.size > MOST_ONE_BY_ONE;
    store.count({ peers, kernelCounts }, countedSince, now, isAll ? undefined : passed);
    countedSince = now;
  }

  /** How interface and book differ in what is news, or in anything. */
  function judge(news: ReadonlySet<string>, isThorough = false): Difference {
    const isAll = isThorough || news.size > MOST_ONE_BY_ONE;
    const suspects = isAll ? [...store.oddKeys(watch.peers), ...foreign.keys()] : news;
    const odd = new Set([...suspects, ...store.departingKeys()]);
    const keys = odd.size > MOST_ONE_BY_ONE ? undefined : odd;
    const peers = keys ? [...keys].flatMap((key) => watch.peers.get(key) ?? []) : [...watch.peers.values()];
    const found = compare({ peers }, store.booked(keys), exclusive);
    foreign.note(keys, found.foreign);
    return found;
  }

  async function releaseLimits(ended: readonly EndedSession[]): Promise<void> {
    await limits.release(ended.map(({ sessionId }) => store.limit(sessionId, wallMs())));
  }

  /** As the book has them now. What fails here, a tick mends. */
  async function setLimits(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    const wanted = sessionIds.map((sessionId) => store.limit(sessionId, wallMs()));
    await limits.set(wanted).catch((error: unknown) => void swallowEnforcement(error));
  }

  /** Answers by the keys that were not on the interface before. */
  async function apply(change: PeerChange): Promise<string[]> {
    if (change.set.length + change.remove.length === 0) return [];
    const { rejected } = await enforcement.apply(change);
    watch.again(rejected);
    const added = change.set.length - rejected.length;
    const removed = change.remove.length;
    if (added + removed > 0 || rejected.length !== rejectedBefore) {
      logger.info(
        { event: "reconciled", added, removed, rejected: rejected.length },
        "the interface was brought in line with the book",
      );
    }
    rejectedBefore = rejected.length;
    return change.set.map((peer) => peer.publicKey).filter((key) => !watch.peers.has(key));
  }

  function expireInBook(): EndedSession[] {
    const now = guard.check();
    if (now === undefined) return [];
    const ended = store.endDue(now);
    for (const { cause } of ended) logger.info({ event: "session-expired", cause }, "a session is over");
    if (ended.length > 0) onChange();
    return ended;
  }

  function setTrouble(trouble: InterfaceTrouble | undefined): void {
    const before = interfaceTrouble;
    interfaceTrouble = trouble;
    if (before?.message === trouble?.message) return;
    if (trouble) logger.error({ event: "wireguard-trouble", code: trouble.code }, trouble.message);
    else if (before !== notLookedYet) logger.info({ event: "wireguard-well" }, "the interface answers again");
    onChange();
  }

  return {
    tick,
    /**
     * Looks for peers that were set by hand a moment ago, before an address is handed out: `wg set` would take
     * theirs without a word. Calls that wait for the interface share one look.
     */
    glance(): Promise<void> {
      glancing ??= exclusively(async () => {
        glancing = undefined;
        try {
          watch.look(await enforcement.look());
          judge(watch.takeUnjudged());
        } catch (error) {
          if (!(error instanceof EnforcementError)) throw error;
          setTrouble(error.trouble);
        }
      });
      return glancing;
    },
    /** Ends what is over and takes those peers off at once; the tick mends what fails here. */
    async expire(): Promise<void> {
      await exclusively(async () => {
        const ended = expireInBook();
        if (ended.length === 0) return;
        const remove = store.departingKeys().filter((key) => store.addressesOf(key).length === 0);
        await enforcement.apply({ set: [], remove }).catch(swallowEnforcement);
        await releaseLimits(ended);
      });
    },
    admit,
    /** The book gives the session more than the kernel knows of. */
    async extended(sessionId: string): Promise<void> {
      await exclusively(async () => {
        await limits.look(false);
        if (limits.trouble() === undefined) await setLimits([sessionId]);
      });
    },
    /**
     * Writes with `write` that a session is revoked, and takes its peer off. `write` answers whether it still ran. The
     * book leads; a failure on the interface is mended by the tick.
     */
    async revoke(sessionId: string, write: () => boolean): Promise<"off" | "to-go" | "did-not-run"> {
      return exclusively(async () => {
        const publicKey = store.find(sessionId)?.publicKey ?? "";
        if (!write()) return "did-not-run";
        const { desired, departingKeys } = store.booked(new Set([publicKey]));
        const off = await enforcement
          .apply({ set: [...desired], remove: desired.length === 0 ? [...departingKeys] : [] })
          .then(({ rejected }) => rejected.length === 0, isNotAnswering);
        await limits.release([store.limit(sessionId, wallMs())]);
        onChange();
        return off ? "off" : "to-go";
      });
    },
    /** Gives a session to another key of its buyer, `commit` in the same transaction. The book leads; a failure on the interface is mended by the tick. */
    async move(sessionId: string, publicKey: string, now: number, commit: () => void): Promise<void> {
      await exclusively(async () => {
        const session = store.find(sessionId);
        if (!session) throw new Error("a sale names a session that the book does not have");
        boundary("key-unmoved");
        store.moveKey(sessionId, publicKey, now, commit);
        boundary("key-moved");
        if (session.status !== "active") return;
        const left = store.addressesOf(session.publicKey);
        const former = { publicKey: session.publicKey, addresses: left };
        const mover = { publicKey, addresses: pool.inBoth(session.address) };
        const change =
          left.length === 0
            ? { set: [mover], remove: [session.publicKey] }
            : { set: [former, mover], remove: [] };
        await enforcement.apply(change).catch(swallowEnforcement);
      });
    },
    /** Why no tunnel can be sold now, in words for the operator; undefined when one can. */
    trouble: (): string | undefined => guard.doubt() ?? interfaceTrouble?.message,
    /** Of the interface alone, whatever the clock says. */
    interfaceTrouble: (): InterfaceTrouble | undefined => interfaceTrouble,
    /** A key on the interface that the book does not know. */
    isForeign: foreign.has,
    /** Peers on the interface that the book does not know (rule 18). */
    foreignPeers: foreign.peers,
  };
}

const notLookedYet: InterfaceTrouble = {
  code: "not-answering",
  message: "the WireGuard interface has not been looked at yet",
};

function failureOf(step: () => unknown): unknown {
  try {
    step();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** False, for an interface that does not answer. */
function isNotAnswering(error: unknown): boolean {
  swallowEnforcement(error);
  return false;
}

function swallowEnforcement(error: unknown): { rejected: string[] } {
  if (error instanceof EnforcementError) return { rejected: [] };
  throw error;
}
