import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Refusal } from "../protocol/refusal.ts";
import { p2pkPublicKey } from "./curve.ts";
import { checkLocks } from "./lock-check.ts";

interface LockVectors {
  now: number;
  operator: string;
  other: string;
  third: string;
  accepted: { name: string; secret: string }[];
  refused: { name: string; secret: string; says: string }[];
}

/** The file that docs/spec.md gives to other implementations. */
const { now, operator, other, third, accepted, refused } = JSON.parse(
  readFileSync(new URL("../../docs/vectors/locks.json", import.meta.url), "utf8"),
) as LockVectors;

describe("locks", () => {
  it("name the keys of the scalars 1, 2 and 3", () => {
    const keys = [1, 2, 3].map((scalar) => p2pkPublicKey(scalar.toString(16).padStart(64, "0")));
    expect([operator, other, third]).toEqual(keys);
  });

  it.each(accepted)("accepted: $name", ({ secret }) => {
    expect(() => checkLocks([secret], operator, now)).not.toThrow();
  });

  it.each(refused)("refused: $name", ({ secret, says }) => {
    // One that fits stands before it: every proof of a token counts.
    const check = () => checkLocks([accepted[0]?.secret ?? "", secret], operator, now);
    expect(check).toThrow(Refusal);
    expect(check).toThrow(expect.objectContaining({ reason: "wrong-p2pk" }));
    expect(check).toThrow(expect.objectContaining({ message: expect.stringContaining(says) }));
  });
});
