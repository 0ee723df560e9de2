import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { openReaderWorld, PUBLIC_HOST, type ReaderWorld } from "../testing/reader/reader-world.ts";
import { openReading } from "../testing/reader/reading.ts";
import { toolsMissing } from "../testing/tools.ts";

const inCi = Boolean(process.env.CI);
const missing = (await operatorHostMissing(inCi)) ?? toolsMissing(["unshare", "nsenter"], inCi);

describe.skipIf(missing)(`docs/kubernetes.md on its node${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const reading = openReading("kubernetes");
  const kubernetes = (beginning: string) => reading.block("docs/kubernetes.md", beginning);
  let world: ReaderWorld;
  beforeAll(async () => {
    world = await openReaderWorld("readk8");
  }, 120_000);
  afterAll(() => world?.destroy(), 60_000);

  it("keys, config and wg0 are made, and placeholders told until none is left", async () => {
    const { type } = world.machine;
    const answers = [PUBLIC_HOST, ...Array.from({ length: 10 }, () => "")];
    await type(kubernetes("sh scripts/bootstrap.sh"), answers);
    expect(await type("wg show wg0 listen-port; ls secrets config")).toMatch(/51820.*nsec.*p2pk/s);
    expect(await type(`! ${kubernetes("sh scripts/check-placeholders.sh")}`)).toContain("IMAGE_PLACEHOLDER");
    await type("sed -i -E 's/REPLACE_WITH_[A-Z_]+|IMAGE_PLACEHOLDER/mine/' k8/*.yml");
    await type(kubernetes("sh scripts/check-placeholders.sh"));
  }, 300_000);

  it("types all that is listed for it", () => expect(reading.left()).toEqual([]));
});
