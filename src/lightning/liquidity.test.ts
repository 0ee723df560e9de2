import { afterEach, expect, it } from "vitest";
import type { LightningConfig } from "../config/types.ts";
import { startLndServer } from "../testing/lightning/lnd-server.ts";
import { startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { askLiquidity } from "./liquidity.ts";

const WITHIN_MS = 5_000;
const around = {
  successAction: "lud10",
  invoiceSeconds: 600,
  invoiceGraceSeconds: 120,
  stubSells: false,
  certificate: undefined,
} as const;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

it("phoenixd: what its channels can receive", async () => {
  const server = await startPhoenixdServer({ password: "limited" });
  closing.push(server.close);
  server.inboundSat = 12_345;
  const config: LightningConfig = {
    ...around,
    backend: "phoenixd",
    baseUrl: server.url,
    apiToken: "limited",
  };
  expect(await askLiquidity(config, WITHIN_MS)).toEqual({ inboundSat: 12_345 });
  await expect(askLiquidity({ ...config, apiToken: "wrong" }, WITHIN_MS)).rejects.toThrow(
    "refuses the password",
  );
});

it("LND: says why it is not known with what the daemon is given", async () => {
  const server = await startLndServer({});
  closing.push(server.close);
  const { url: baseUrl, macaroonHex: apiToken, certificate } = server;
  const config: LightningConfig = { ...around, backend: "lnd", baseUrl, apiToken, certificate };
  expect(await askLiquidity(config, WITHIN_MS)).toEqual({
    unknown: expect.stringContaining("invoice.macaroon"),
    command: "lncli channelbalance",
  });
});

it("the stub: has none to ask for", async () => {
  const config: LightningConfig = { ...around, backend: "stub", baseUrl: "memory:", apiToken: undefined };
  expect(await askLiquidity(config, WITHIN_MS)).toEqual({ unknown: "the stub has no channels" });
});
