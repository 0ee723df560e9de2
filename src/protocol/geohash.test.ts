import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeGeohash, geohashLadder, mostSpecificGeohashes } from "./geohash.ts";

const geohash = fc.string({
  unit: fc.constantFrom(..."0123456789bcdefghjkmnpqrstuvwxyz"),
  minLength: 1,
  maxLength: 10,
});

describe("geohashLadder", () => {
  it("gives every prefix, lower-cased", () => {
    expect(geohashLadder("DHvr5")).toEqual(["d", "dh", "dhv", "dhvr", "dhvr5"]);
  });

  it.each(["", "dhvra", "dhvri", "dhvrl", "dhvro", "dh vr", "dhé", "🌍"])("gives none for %j", (text) => {
    expect(geohashLadder(text)).toEqual([]);
  });
});

describe("decodeGeohash", () => {
  it("gives centre and error of the cell", () => {
    expect(decodeGeohash("ezs42")).toEqual({
      latitude: expect.closeTo(42.605, 3),
      longitude: expect.closeTo(-5.603, 3),
      latitudeError: expect.closeTo(0.022, 3),
      longitudeError: expect.closeTo(0.022, 3),
    });
    expect(decodeGeohash("s")).toEqual({
      latitude: 22.5,
      longitude: 22.5,
      latitudeError: 22.5,
      longitudeError: 22.5,
    });
  });

  it.each(["", "a", "ezs4i", "ez s"])("is null for %j", (text) => {
    expect(decodeGeohash(text)).toBeNull();
  });

  it("puts each cell inside the one before it on the ladder", () => {
    fc.assert(
      fc.property(geohash, (cell) => {
        const cells = geohashLadder(cell).map(decodeGeohash);
        for (const [index, inner] of cells.entries()) {
          const outer = cells[index - 1];
          if (!outer || !inner) continue;
          const north = Math.abs(inner.latitude - outer.latitude) + inner.latitudeError;
          const east = Math.abs(inner.longitude - outer.longitude) + inner.longitudeError;
          expect(north).toBeLessThanOrEqual(outer.latitudeError);
          expect(east).toBeLessThanOrEqual(outer.longitudeError);
        }
      }),
    );
  });
});

describe("mostSpecificGeohashes", () => {
  it("keeps the tips, each once, and drops what is no geohash", () => {
    const mixed = ["d", "DH", "dhv", "u", "u0", "dhv", "ail", "", "u1", "dh0"];
    expect(mostSpecificGeohashes(mixed)).toEqual(["dhv", "u0", "u1", "dh0"]);
  });

  it("finds the one geohash of a ladder", () => {
    fc.assert(
      fc.property(geohash, (cell) => {
        expect(mostSpecificGeohashes(geohashLadder(cell))).toEqual([cell]);
      }),
    );
  });

  it("keeps exactly those that none of the others starts with", () => {
    fc.assert(
      fc.property(fc.array(geohash), (cells) => {
        const tips = cells.filter((cell) => !cells.some((other) => other !== cell && other.startsWith(cell)));
        expect(new Set(mostSpecificGeohashes(cells))).toEqual(new Set(tips));
      }),
    );
  });
});
