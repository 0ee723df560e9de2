import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { arithmeticOfCashuTs, type MintArithmetic } from "./mint-arithmetic.ts";
import type { Fault, FaultRule } from "./mint-faults.ts";
import { handleMintRequest } from "./mint-http.ts";
import type { KeysetTerms, KeysetVersion } from "./mint-keyset.ts";
import { createMintLedger, type ProofState } from "./mint-ledger.ts";
import {
  answerRequest,
  CACHE_TTL_SECONDS,
  CACHED_ENDPOINTS,
  type MintAnswer,
  mintInfo,
} from "./mint-routes.ts";
import { spoilAnswer } from "./mint-spoiler.ts";

export interface TestMintOptions {
  /** 0 or left out: a free one, kept for every later `start()`. */
  port?: number;
  host?: string;
  /** Input fee in thousandths of the unit per proof. Default 0. */
  feePpk?: number;
  /** Default `v2`. */
  keysetVersion?: KeysetVersion;
  /** Default `sat`. */
  unit?: string;
  /** NUT-19. Default false. */
  cacheResponses?: boolean;
  /** Default: that of cashu-ts. */
  arithmetic?: MintArithmetic;
}

export interface TestMint {
  /** `http://host:port`, the same through every stop and start. */
  readonly url: string;
  cacheResponses: boolean;
  /** Asked about every request that no queued fault takes. */
  fault: FaultRule | undefined;
  /** Proofs by `Y` that are in flight elsewhere: PENDING in NUT-07, a swap of them answers 11002. */
  readonly pendingYs: Set<string>;
  /** The next requests to this path meet these faults, one each. */
  failNext(path: string, ...faults: Fault[]): void;
  /** Lets every stalled request go on. */
  release(): void;
  /** How many swaps were carried out. */
  swapCount(): number;
  /** How many requests came, to all paths or to one. */
  requestCount(path?: string): number;
  spentYs(): string[];
  stateOf(y: string): ProofState;
  /** The id of the active keyset of the mint's own unit. */
  activeKeysetId(): string;
  /** A new active keyset in the place of the old one, which turns inactive. Answers the new id. */
  rotateKeyset(terms?: Partial<KeysetTerms>): string;
  /** One more active keyset, say of another unit. Answers its id. */
  addKeyset(terms: Partial<KeysetTerms>): string;
  /** Listens again on the same port with the same state. */
  start(): Promise<void>;
  /** Drops all connections; what was asked and not yet carried out is lost, the state stays. */
  stop(): Promise<void>;
}

/** A Cashu mint over HTTP, real in its cryptography and its rules, with its state in memory only. */
export async function startMint(options: TestMintOptions = {}): Promise<TestMint> {
  const host = options.host ?? "127.0.0.1";
  const terms: KeysetTerms = {
    version: options.keysetVersion ?? "v2",
    unit: options.unit ?? "sat",
    feePpk: options.feePpk ?? 0,
  };
  const ledger = createMintLedger(terms, options.arithmetic ?? arithmeticOfCashuTs);
  const queuedFaults = new Map<string, Fault[]>();
  const requestCounts = new Map<string, number>();
  const cache = new Map<string, { answer: MintAnswer; until: number }>();
  const stalled = new Set<() => void>();
  let port = options.port ?? 0;
  let server: Server | undefined;

  const carryOut = (method: string, path: string, rawBody: string): MintAnswer => {
    if (method === "GET" && path === "/v1/info") {
      return { status: 200, body: mintInfo(ledger, mint.cacheResponses) };
    }
    const cacheable =
      mint.cacheResponses &&
      CACHED_ENDPOINTS.some((endpoint) => endpoint.method === method && endpoint.path === path);
    const cacheKey = `${method} ${path} ${rawBody}`;
    const cached = cacheable ? cache.get(cacheKey) : undefined;
    if (cached && cached.until > Date.now()) return cached.answer;
    const answer = answerRequest(ledger, method, path, rawBody);
    if (cacheable && answer.status === 200) {
      cache.set(cacheKey, { answer, until: Date.now() + CACHE_TTL_SECONDS * 1000 });
    }
    return answer;
  };

  const takeFault = (method: string, path: string): Fault | undefined => {
    const counter = `${method} ${path}`;
    const number = (requestCounts.get(counter) ?? 0) + 1;
    requestCounts.set(counter, number);
    return queuedFaults.get(path)?.shift() ?? mint.fault?.({ method, path, number });
  };

  const stall = (serving: Server, forMs: number | undefined) =>
    new Promise<boolean>((resolve) => {
      const goOn = () => resolve(serving === server);
      stalled.add(goOn);
      if (forMs !== undefined) setTimeout(goOn, forMs).unref();
    });

  const spoil = (answer: MintAnswer, rawBody: string, fault: Fault & { kind: "flawed" }) =>
    spoilAnswer(ledger, answer, rawBody, fault);

  const activeKeysets = () => ledger.keysets().filter(({ active, unit }) => active && unit === terms.unit);

  const mint: TestMint = {
    get url() {
      return `http://${host}:${port}`;
    },
    cacheResponses: options.cacheResponses ?? false,
    fault: undefined,
    pendingYs: ledger.pending,
    failNext(path, ...faults) {
      queuedFaults.set(path, [...(queuedFaults.get(path) ?? []), ...faults]);
    },
    release() {
      for (const resolve of stalled) resolve();
      stalled.clear();
    },
    swapCount: () => ledger.swapCount(),
    requestCount: (path) =>
      [...requestCounts].reduce(
        (sum, [counter, count]) => (!path || counter.endsWith(` ${path}`) ? sum + count : sum),
        0,
      ),
    spentYs: () => ledger.spentYs(),
    stateOf: (y) => ledger.stateOf(y),
    activeKeysetId: () => activeKeysets().at(-1)?.id ?? "",
    rotateKeyset(newTerms) {
      const old = activeKeysets();
      const { id } = ledger.addKeyset({ ...terms, ...newTerms });
      for (const keyset of old) keyset.active = false;
      return id;
    },
    addKeyset: (newTerms) => ledger.addKeyset({ ...terms, ...newTerms }).id,

    async start() {
      if (server) return;
      const listening = createServer((request, response) => {
        const stallHere = (forMs: number | undefined) => stall(listening, forMs);
        handleMintRequest(request, response, { carryOut, takeFault, spoil, stall: stallHere }).catch(() =>
          request.socket.destroy(),
        );
      });
      // It loses requests when told to, never because it closed a connection that one was just coming on.
      listening.keepAliveTimeout = 0;
      listening.listen(port, host);
      await once(listening, "listening");
      port = (listening.address() as AddressInfo).port;
      server = listening;
    },

    async stop() {
      if (!server) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      server = undefined;
      mint.release();
      await closed;
    },
  };

  await mint.start();
  return mint;
}
