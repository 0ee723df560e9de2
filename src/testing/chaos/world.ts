import { prepareTokens } from "./actions.ts";
import { readUnfinished } from "./book-reader.ts";
import { type Crowd, createCrowd } from "./crowd.ts";
import { giveCursor } from "./give-cursor.ts";
import { createLightningRequests } from "./lightning-requests.ts";
import { type ChaosMarket, openMarket } from "./market.ts";
import { planRound } from "./plan.ts";
import { createPurchases } from "./purchases.ts";
import { bringToRest } from "./rest.ts";
import { type Death, playRound } from "./round.ts";
import { judge, type Verdict } from "./verdict.ts";

export interface WorldOptions {
  kills: number;
  seed: number;
  /** Any running mint; ours when left out. */
  mintUrl: string | undefined;
  /** After each kill. */
  onDeath: (death: Death, crowd: Crowd) => void;
  say: (line: string) => void;
  /** No more kills: what is open is brought to rest and judged. */
  stopping: AbortSignal;
}

export interface WorldResult extends Verdict {
  deaths: Death[];
  /** Answers that buyers had, by status and reason. */
  answers: ReadonlyMap<string, number>;
  /** The operator's folder, kept when something is wrong. */
  folder: string | undefined;
}

/** So many rounds with an empty pool, then the operator makes it wider. */
const FULL_ROUNDS = 3;

/** An operator, his mint and his relays: kills his daemon so many times, brings all to rest, and judges from outside. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const market = await openMarket(options.seed, options.mintUrl);
  let isClean = false;
  try {
    const crowd = crowdAt(market);
    // An ear for the stream alone begins with the first payment that it hears of.
    if (market.nodePlan.deaf === "look-up") await giveCursor(market);
    const deaths = await killAgainAndAgain(market, crowd, options);
    const verdict = judge(await bringToRest(market, crowd, options.say));
    verdict.problems.unshift(...deaths.flatMap(({ problem }) => problem ?? []));
    isClean = verdict.problems.length === 0;
    return {
      ...verdict,
      deaths,
      answers: crowd.answers,
      folder: isClean ? undefined : market.operator.folder,
    };
  } finally {
    await market.close(!isClean);
  }
}

function crowdAt({ operator, node, nodePlan }: ChaosMarket): Crowd {
  return createCrowd({
    purchase: createPurchases(operator),
    requests: createLightningRequests(operator),
    node,
    invoiceSeconds: nodePlan.invoiceSeconds,
  });
}

/** Ends early when a daemon did what none may do, which its death tells. */
async function killAgainAndAgain(
  market: ChaosMarket,
  crowd: Crowd,
  { seed, kills, onDeath, stopping }: WorldOptions,
): Promise<Death[]> {
  const { mint, way, operator } = market;
  const source = { mintUrl: mint.url, listedUrl: way.url, operatorPubkey: operator.p2pk };
  const deaths: Death[] = [];
  let fullRounds = 0;
  let plan = planRound(seed, 1);
  let tokens = prepareTokens(source, plan);
  while (deaths.length < kills && !stopping.aborted) {
    const death = playRound(market, crowd, plan, await tokens);
    // While that life lasts, the next one's tokens are made.
    plan = planRound(seed, deaths.length + 2);
    tokens = prepareTokens(source, plan);
    const died = await death;
    deaths.push(died);
    onDeath(died, crowd);
    if (died.problem !== undefined) break;
    fullRounds = isFull(market) ? fullRounds + 1 : 0;
    if (fullRounds >= FULL_ROUNDS) {
      market.widen();
      fullRounds = 0;
    }
  }
  await tokens;
  return deaths;
}

function isFull(market: ChaosMarket): boolean {
  return readUnfinished(market.operator.databasePath).liveSessions >= market.room();
}
