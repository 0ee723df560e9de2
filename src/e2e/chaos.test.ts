import { beforeAll, describe, expect, it } from "vitest";
import { buildMortalDaemon } from "../testing/chaos/mortal-daemon.ts";
import { runChaos } from "../testing/chaos/run.ts";

beforeAll(buildMortalDaemon);

describe("a daemon that is killed again and again (pnpm chaos)", () => {
  it("loses no sat and grants nothing twice, looked at from outside", async () => {
    const result = await runChaos({ kills: 6, seed: 20 });
    expect(result.problems).toEqual([]);
    expect(result).toMatchObject({ lost: 0, doubleGranted: 0, owed: 0, folders: [] });
    expect(result.deaths).toHaveLength(6);
    expect(result.granted).toBeGreaterThan(0);
    expect(result.granted + result.refusedUnspent).toBeLessThanOrEqual(result.sales);
  }, 300_000);
});
