import { expect, it } from "vitest";
import type { Config } from "../config/types.ts";
import { whyClosed } from "./why-closed.ts";

const closed = (
  soldWhenUnreachable: boolean,
  isClosed: boolean | undefined,
  { database, pause, isRetired = false }: { database?: string; pause?: string; isRetired?: boolean } = {},
) =>
  whyClosed(
    { listing: { soldWhenUnreachable } as Config["listing"] },
    {
      database: { trouble: () => database, writable: () => true, probe: () => undefined },
      pause: { cause: () => pause } as Parameters<typeof whyClosed>[1]["pause"],
      retirement: { isRetired: () => isRetired } as Parameters<typeof whyClosed>[1]["retirement"],
    },
    { handshakes: { isClosed: () => isClosed } as Parameters<typeof whyClosed>[2]["handshakes"] },
  );

it("closes for the database, a pause, a retired listing, and for a port that lets nobody in where that is wanted", () => {
  expect(closed(true, false)).toBeUndefined();
  expect(closed(true, undefined)).toBeUndefined();
  expect(closed(false, true)).toBeUndefined();
  expect(closed(true, true)).toMatch(/tunnels/);
  expect(closed(false, false, { database: "full" })).toMatch(/database/);
  expect(closed(false, false, { pause: "operator" })).toMatch(/nobody new/);
  expect(closed(false, false, { isRetired: true })).toMatch(/nobody new/);
});
