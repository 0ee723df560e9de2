import { boundary } from "../boundary.ts";
import type { NostrEvent } from "../protocol/event.ts";
import { type Bought, type Price, payableRange } from "../protocol/price.ts";
import { checkAuthorization, readAuthorization } from "../protocol/purchase-auth.ts";
import { Refusal } from "../protocol/refusal.ts";
import { checkClientKey } from "../protocol/wireguard-key.ts";
import type { Semaphore } from "../semaphore.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { ClaimDesk } from "./claim-desk.ts";
import { type Claimant, claimant } from "./claimant.ts";
import { checkQuantity, type Offer, PROTOCOL } from "./offer.ts";
import { createOpenings } from "./openings.ts";
import type { DecodedToken, Mint, TokenReader } from "./ports.ts";
import type { PurchaseAnswer, PurchaseRequest } from "./purchase-request.ts";
import type { SaleStore } from "./sale-store.ts";
import type { Settlement } from "./settle.ts";
import { unlessUnwritable } from "./unless-unwritable.ts";
import { noAddress, type Vacancy } from "./vacancy.ts";

/** Ecash as this operator takes it. */
export interface CashuDesk {
  reader: TokenReader;
  findMint: (mintKey: string) => Mint | undefined;
  /** Swaps prepared or in flight, bounded per mint. */
  swapPlaces: (mintKey: string) => Semaphore;
}

interface PurchaseParts {
  offer: Offer;
  /** Reads a token for the sake of the claim that it may be, also when ecash is not taken any more. */
  decode: TokenReader["decode"];
  /** A reason when Cashu is off, or the listing names no mint. */
  cashu: CashuDesk | "cashu-not-configured" | "no-cashu-in-listing";
  sales: SaleStore;
  vacancy: Vacancy;
  keeper: Keeper;
  settlement: Settlement;
  claims: ClaimDesk;
  claimSecret: Buffer;
  /** Whether an authorization is its author's. */
  isAuthentic: (event: NostrEvent) => boolean;
  now: () => number;
  nowMs: () => number;
  /** The longest a buyer waits for an answer, whatever the mint does. */
  answerWithinMs: number;
}

interface CheckedPurchase {
  token: DecodedToken;
  mint: Mint;
  price: Price;
  quantity: Bought;
  who: Claimant;
  clientKey: string;
  deadlineMs: number;
}

const REPEAT_SOON_SECONDS = 5;
/** Timers may fire a little before their time; the deadline must have passed for everybody when this one fires. */
const TIMER_SLACK_MS = 2;

/**
 * POST /purchase over ecash. Everything that can refuse, refuses before anything is spent, cheap checks first; but a
 * claim that the book knows is answered before any of them (docs/spec.md, "Repeating a request").
 */
export function createPurchase(parts: PurchaseParts) {
  const { offer, cashu, sales, vacancy, keeper, settlement, claims, now, nowMs } = parts;
  const openings = createOpenings();

  return (request: PurchaseRequest): Promise<PurchaseAnswer> => purchase(request).catch(unlessUnwritable);

  async function purchase(request: PurchaseRequest): Promise<PurchaseAnswer> {
    const deadlineMs = nowMs() + parts.answerWithinMs;
    const auth = readAuthorization(request.authorization, parts.isAuthentic);
    const clientKey = checkClientKey(request.clientPubkey, offer.serverPublicKey);
    if (request.protocol !== PROTOCOL)
      throw new Refusal("unsupported-protocol", `protocol must be ${PROTOCOL}`);
    const who = claimant(parts.claimSecret, auth.pubkey, clientKey);
    if (request.token === undefined) return askForPayment(request, auth, clientKey);
    const token = parts.decode(request.token);
    const known = sales.findClaim(token.mintKey, token.ys);
    if (known.kind === "overlap") throw partlyUsed();
    if (known.kind === "same") return claims.answer(known.sale, who, clientKey, deadlineMs);
    const opening = openings.find(token) ?? begin(request, auth, { token, who, clientKey, deadlineMs });
    const sale = sales.find(await inTime(opening, deadlineMs));
    if (!sale) throw new Error("the book has lost a sale that was just opened");
    return claims.answer(sale, who, clientKey, deadlineMs);
  }

  /** All checks that need no mint, without a pause between them; then a place at the mint. */
  function begin(
    request: PurchaseRequest,
    auth: NostrEvent,
    asked: Pick<CheckedPurchase, "token" | "who" | "clientKey" | "deadlineMs">,
  ): Promise<string> {
    const { token, clientKey } = asked;
    const desk = cashuDesk();
    if (!vacancy.isRenewal(clientKey)) request.countStranger();
    const price = agreedPrice(auth);
    const mint = acceptedMint(desk, token);
    const quantity = checkQuantity(token.faceSat, price, offer);
    desk.reader.checkLocks(token, now());
    vacancy.check(clientKey, addressesPromised(clientKey));
    checkMint(mint);
    const saleId = inPlace(desk.swapPlaces(mint.key), { ...asked, mint, price, quantity });
    openings.add(token, clientKey, saleId);
    return saleId;
  }

  /** To others whose purchase is not in the book yet. Who renews takes none, which is asked only where it matters. */
  function addressesPromised(clientKey: string): number {
    const others = openings.otherKeys(clientKey);
    if (vacancy.hasAddress(others.length)) return others.length;
    return others.filter((key) => !vacancy.isRenewal(key)).length;
  }

  /** Resolves as soon as the sale stands in the book; the place is kept until its first round with the mint is over. */
  function inPlace(places: Semaphore, checked: CheckedPurchase): Promise<string> {
    return new Promise((resolve, reject) => {
      const running = places.tryRun(async () => {
        const { saleId, firstRound } = await writeDown(checked);
        resolve(saleId);
        await firstRound;
      });
      if (running) running.catch(reject);
      else reject(tooMany());
    });
  }

  /**
   * Prepares the swap and opens the sale. Until then the buyer may be told that his token was not touched: so nothing
   * is opened after his deadline, and what could have changed meanwhile is looked at again.
   */
  async function writeDown(
    checked: CheckedPurchase,
  ): Promise<{ saleId: string; firstRound?: Promise<void> }> {
    const { token, mint, price, quantity, who, clientKey, deadlineMs } = checked;
    if (nowMs() >= deadlineMs) throw tooMany();
    checkMint(mint);
    const journal = await mint.prepareSwap(token);
    if (!vacancy.isRenewal(clientKey)) await keeper.glance();
    if (nowMs() >= deadlineMs) throw tooMany();
    checkMint(mint);
    vacancy.check(clientKey, 0);
    const { mintKey, faceSat, ys } = token;
    const sale = { mintKey, mintUrl: mint.url, faceSat, price, bought: quantity, ys, journal, clientKey };
    const opened = sales.open({ ...sale, ...who, dTag: offer.dTag }, now());
    if (opened.kind === "no-address") throw noAddress();
    if (opened.kind === "claimed") throw partlyUsed();
    boundary("sale-opened");
    return { saleId: opened.saleId, firstRound: settlement.begin(opened.saleId) };
  }

  function inTime(opening: Promise<string>, deadlineMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const waitMs = Math.max(0, Math.ceil(deadlineMs - nowMs())) + TIMER_SLACK_MS;
      const timer = setTimeout(() => reject(tooMany()), waitMs);
      opening.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  function askForPayment(request: PurchaseRequest, auth: NostrEvent, clientKey: string): never {
    const { reader } = cashuDesk();
    if (!vacancy.isRenewal(clientKey)) request.countStranger();
    const price = agreedPrice(auth);
    const { minAmount } = payableRange(price, offer.minPurchase, offer.maxPurchase);
    throw new Refusal("payment-required", `send a token of at least ${minAmount} sat in the X-Cashu header`, {
      paymentRequest: reader.paymentRequest(minAmount),
    });
  }

  function cashuDesk(): CashuDesk {
    if (typeof cashu !== "string") return cashu;
    throw new Refusal(cashu, "this operator does not take ecash now; see payment_methods in /info", {
      retryAfterSeconds: 3600,
    });
  }

  function agreedPrice(auth: NostrEvent): Price {
    const { publicHost, coordinate } = offer;
    const price = checkAuthorization(auth, { now: now(), publicHost, coordinate, prices: offer.prices() });
    if (!offer.protocols.includes(PROTOCOL)) {
      throw new Refusal("unsupported-protocol", `${PROTOCOL} is not on offer now; see protocols in /info`);
    }
    if (price.currency.toLowerCase() !== "sat")
      throw new Refusal("price-mismatch", "ecash buys tiers priced in sat only");
    return price;
  }

  function acceptedMint(desk: CashuDesk, token: DecodedToken): Mint {
    const mint = desk.findMint(token.mintKey);
    if (!mint) throw new Refusal("wrong-mint", "the token is from a mint that is not among mints in /info");
    if (token.unit !== "sat") throw new Refusal("invalid-token", "the token's unit must be sat");
    return mint;
  }

  function checkMint(mint: Mint): void {
    if (!mint.reachable()) throw mintBusy("the mint cannot be reached now");
    if (!settlement.hasRoomAt(mint.key)) throw mintBusy("the mint does not finish swaps now");
  }
}

function partlyUsed(): Refusal {
  return new Refusal(
    "double-spent",
    "some of this token's proofs were used in another purchase here, or given back by the operator",
  );
}

function mintBusy(message: string): Refusal {
  return new Refusal("mint-unreachable", `${message}; your token was not touched`, {
    retryAfterSeconds: REPEAT_SOON_SECONDS,
  });
}

function tooMany(): Refusal {
  return mintBusy("too many purchases are under way at this mint");
}
