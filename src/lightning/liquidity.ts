import * as z from "zod";
import type { LightningConfig } from "../config/types.ts";
import { createLndHttp } from "./lnd-http.ts";
import { createLndRequest } from "./lnd-request.ts";
import { createPhoenixdHttp, readJson } from "./phoenixd-http.ts";

/** How much can be received before another channel is needed; `unknown` says why the node does not tell, `command` what does. */
export type Liquidity = { inboundSat: number } | { unknown: string; command?: string };

/** phoenixd 0.8, `GET /getinfo`. */
const phoenixdChannels = z.object({
  channels: z.array(z.object({ state: z.string(), inboundLiquiditySat: z.int().nonnegative() })),
});
/** LND, `GET /v1/balance/channels`: numbers as strings. */
const lndBalance = z.object({ remote_balance: z.object({ sat: z.coerce.number().int().nonnegative() }) });

/** Asks the node. Throws `NodeError` when a phoenixd does not answer. */
export async function askLiquidity(config: LightningConfig, timeoutMs: number): Promise<Liquidity> {
  const { backend, baseUrl, apiToken = "", certificate } = config;
  if (backend === "stub") return { unknown: "the stub has no channels" };
  if (backend === "phoenixd") {
    const http = createPhoenixdHttp({ baseUrl, password: apiToken, timeoutMs });
    const { channels } = readJson(await http.get("/getinfo"), phoenixdChannels);
    const open = channels.filter(({ state }) => /^normal$/i.test(state));
    return { inboundSat: open.reduce((sum, { inboundLiquiditySat }) => sum + inboundLiquiditySat, 0) };
  }
  const ask = createLndHttp(createLndRequest({ baseUrl, macaroonHex: apiToken, certificate }), timeoutMs);
  const answer = await ask({ method: "GET", path: "/v1/balance/channels" }, lndBalance);
  if (answer.kind === "ok") return { inboundSat: answer.value.remote_balance.sat };
  return {
    unknown: "LND does not tell whoever has no more than invoice.macaroon",
    command: "lncli channelbalance",
  };
}
