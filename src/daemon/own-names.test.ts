import { pino } from "pino";
import { expect, it } from "vitest";
import type { Config } from "../config/types.ts";
import { type LookUp, warnOfUnknownNames } from "./own-names.ts";

async function warnings(publicHost: string, endpoint: string, code: string | undefined): Promise<unknown[]> {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const config = { server: { publicHost }, wireguard: { endpoint } } as Config;
  const lookUp: LookUp = async () => {
    if (code !== undefined) throw Object.assign(new Error("no"), { code });
  };
  await warnOfUnknownNames(config, logger, lookUp);
  return lines.map(({ key }) => key);
}

it("warns of each name that DNS does not know, once", async () => {
  expect(await warnings("a.invalid:8443", "b.invalid:51820", "ENOTFOUND")).toEqual([
    "server.public_host",
    "wireguard.endpoint_host",
  ]);
  expect(await warnings("a.invalid", "a.invalid:51820", "ENOTFOUND")).toEqual(["server.public_host"]);
});

it("says nothing of addresses, of known names, and when no resolver answers", async () => {
  expect(await warnings("192.0.2.1:80", "[2001:db8::1]:51820", "ENOTFOUND")).toEqual([]);
  expect(await warnings("a.example", "b.example:51820", undefined)).toEqual([]);
  expect(await warnings("a.example", "b.example:51820", "EAI_AGAIN")).toEqual([]);
});
