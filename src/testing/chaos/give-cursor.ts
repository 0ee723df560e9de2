import { hasCursor } from "./book-reader.ts";
import { end, startForGood } from "./good-life.ts";
import type { ChaosMarket } from "./market.ts";
import { until } from "./until.ts";

const WITHIN_MS = 60_000;

/** The daemon hears of one payment over the node's stream: from there on it can be told what it missed (ADR 8). */
export async function giveCursor({ operator, node }: ChaosMarket): Promise<void> {
  const life = await startForGood(operator.configPath);
  await until(() => node.streamCount() > 0, WITHIN_MS);
  node.receiveForeign();
  const isGiven = () => hasCursor(operator.databasePath);
  await until(isGiven, WITHIN_MS);
  if (!isGiven())
    throw new Error("the daemon does not hear of a payment over the stream of a node that is well");
  await end(life);
}
