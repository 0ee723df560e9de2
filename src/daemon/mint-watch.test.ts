import { pino } from "pino";
import { expect, it } from "vitest";
import { createMints } from "../cashu/mints.ts";
import { systemClock } from "../clock.ts";
import { startMint } from "../testing/mint.ts";
import { createMintWatch } from "./mint-watch.ts";

it("says once that a mint does not answer, and that it answers again", async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const mint = await startMint();
  const mints = createMints({
    mintUrls: [mint.url],
    privkeyHex: "11".repeat(32),
    pubkeyHex: `02${"22".repeat(32)}`,
    maxFeeSat: 10,
    clock: systemClock,
  });
  const watch = createMintWatch(mints, logger);
  await mint.stop();
  await watch.refresh();
  await watch.refresh();
  expect(lines).toMatchObject([{ event: "mint-trouble", mint: mint.url, trouble: expect.any(String) }]);
  await mint.start();
  await watch.refresh();
  await watch.refresh();
  expect(lines.slice(1)).toMatchObject([{ event: "mint-well", mint: mint.url }]);
  await mint.stop();
});
