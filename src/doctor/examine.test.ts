import { expect, it } from "vitest";
import { CommandFailure } from "../wireguard/run.ts";
import type { Check } from "./check.ts";
import { examine } from "./examine.ts";
import { ok, warn } from "./finding.ts";
import type { Subject } from "./subject.ts";

const subject = {} as Subject;
const check = (name: string, look: Check["look"]): Check => ({ name, group: "host", look });

it("keeps the table's order, and gives a finding for each thing that a check looks at", async () => {
  const slow = check("slow", async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return ok("late");
  });
  const two = check("two", () => [ok("one"), warn("other", "do")]);
  const found = await examine([slow, two], subject);
  expect(found.map(({ name, seen }) => [name, seen])).toEqual([
    ["slow", "late"],
    ["two", "one"],
    ["two", "other"],
  ]);
});

it("calls unseen what does not end, and holds up nothing else", async () => {
  const found = await examine(
    [check("stuck", () => new Promise(() => {})), check("quick", () => ok("fine"))],
    subject,
    30,
  );
  expect(found.map(({ status }) => status)).toEqual(["unseen", "ok"]);
  expect(found[0]?.seen).toContain("did not end");
});

it("calls unseen what throws, and tells nothing of the error's text", async () => {
  const broken = check("broken", () => {
    throw new Error("nsec1secret");
  });
  const forbidden = check("forbidden", async () =>
    Promise.reject(new CommandFailure("nft", 1, "no-permission")),
  );
  const absent = check("absent", async () =>
    Promise.reject(new CommandFailure("nft", undefined, "not-found")),
  );
  const found = await examine([broken, forbidden, absent], subject);
  expect(found.map(({ status }) => status)).toEqual(["unseen", "unseen", "unseen"]);
  expect(JSON.stringify(found)).not.toContain("nsec1secret");
  expect(found[1]?.mend).toContain("as root");
  expect(found[2]?.mend).toContain("nftables");
});
