import type { LightningConfig } from "../config/types.ts";
import type { LightningNode } from "../sales/lightning/ports.ts";
import { createLnd } from "./lnd.ts";
import { createPhoenixd } from "./phoenixd.ts";
import { createStub } from "./stub.ts";

/** How long a stub that sells leaves its invoices unpaid. */
const STUB_SETTLES_AFTER_MS = 1000;

/** The node that the config names. A stub that must not sell never settles, so that nobody gets in unpaid. */
export function chooseNode(config: LightningConfig, now: () => number): LightningNode {
  const { backend, baseUrl, apiToken = "", certificate } = config;
  switch (backend) {
    case "phoenixd":
      return createPhoenixd({ baseUrl, password: apiToken });
    case "lnd":
      return createLnd({ baseUrl, macaroonHex: apiToken, certificate });
    case "stub":
      return createStub({ settleAfterMs: config.stubSells ? STUB_SETTLES_AFTER_MS : undefined, now });
  }
}
