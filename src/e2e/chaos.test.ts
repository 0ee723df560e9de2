import { beforeAll, describe, expect, it } from "vitest";
import { buildMortalDaemon } from "../testing/chaos/mortal-daemon.ts";
import { runChaos } from "../testing/chaos/run.ts";

beforeAll(buildMortalDaemon);

describe("a daemon that is killed again and again (pnpm chaos)", () => {
  it.each([
    { node: "phoenixd", seed: 4 },
    { node: "an LND", seed: 12 },
  ])(
    "with $node: loses no sat, grants nothing twice",
    async ({ seed }) => {
      const result = await runChaos({ kills: 6, seed });
      expect(result.problems).toEqual([]);
      expect(result).toMatchObject({ lost: 0, doubleGranted: 0, owed: 0, folders: [] });
      expect(result.deaths).toHaveLength(6);
      expect(result.granted + result.refusedUnspent).toBeLessThanOrEqual(result.sales);
      const { lightning } = result;
      expect(lightning.granted).toBeGreaterThan(0);
      expect(lightning.granted).toBe(lightning.sales);
      expect(result.granted).toBeGreaterThan(lightning.granted);
    },
    300_000,
  );
});
