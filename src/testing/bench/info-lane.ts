import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createOperator } from "../operator.ts";
import { startRelay } from "../relay.ts";
import { requestsPerSecond } from "./load.ts";
import { type Lane, measurement } from "./measurement.ts";
import { median } from "./statistics.ts";

const ROUNDS = 15;
const REQUESTS = 1_000;
/** Each client address has a limit; so many of them stay below it. */
const CLIENTS = 100;
const FIGURE = "/info, requests a second";

export const infoRequests: Lane = {
  name: "info",
  missing: async () => undefined,
  figures: [FIGURE],
  async *run() {
    const bare = await startBareFastify();
    const relay = await startRelay();
    const operator = await createOperator({
      relays: [relay.url],
      mints: [],
      cashuEnabled: false,
      logLevel: "info",
    });
    try {
      await operator.start();
      const bareRates: number[] = [];
      const infoRates: number[] = [];
      for (let round = 0; round <= ROUNDS; round += 1) {
        bareRates.push(await requestsPerSecond(bare.url, REQUESTS, clientOf(round)));
        infoRates.push(await requestsPerSecond(`${operator.url}/info`, REQUESTS, clientOf(round)));
      }
      // The first round of each warms up.
      const value = median(infoRates.slice(1));
      const ratio = value / median(bareRates.slice(1));
      yield measurement(FIGURE, { value, unit: "/s", ratio }, { of: "ratio", atLeast: 0.9 });
    } finally {
      await operator.destroy();
      await relay.stop();
      bare.stop();
    }
  },
};

function clientOf(round: number): (index: number) => Record<string, string> {
  return (index) => ({ "x-forwarded-for": `10.9.${round}.${index % CLIENTS}` });
}

async function startBareFastify(): Promise<{ url: string; stop(): void }> {
  const child = fork(join(import.meta.dirname, "bare-fastify.ts"), [], { execArgv: ["--import", "tsx"] });
  const [url] = (await once(child, "message")) as [string];
  return { url, stop: () => void child.kill("SIGKILL") };
}
