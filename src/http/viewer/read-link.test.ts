import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configViewerUrl } from "../../protocol/success-action.ts";
import { sampleConf, viewerFragment, viewerServer } from "../../testing/viewer-conf.ts";
import { readLink, readPreimage } from "./read-link.ts";

const conf = sampleConf();
const preimage = "0123456789abcdef".repeat(4);
const read = (fragment: string) => readLink(fragment, viewerServer);

describe("readLink", () => {
  it("reads what is sealed for a wallet", () => {
    const { hash } = new URL(configViewerUrl("vpn.example.com", conf, preimage));
    expect(read(hash.slice(1))).toEqual({ sealed: { conf }, preimage });
  });

  it.each([
    ["a .conf and a preimage", viewerFragment(conf, preimage), { sealed: { conf }, preimage }],
    ["a preimage in capitals", viewerFragment(conf, preimage.toUpperCase()), { sealed: { conf }, preimage }],
    ["an older link", viewerFragment(conf), { sealed: { conf }, preimage: undefined }],
    ["nothing", "", { sealed: undefined, preimage: undefined }],
    ["a preimage alone", `.${preimage}`, { sealed: undefined, preimage }],
    [
      "half a preimage",
      viewerFragment(conf, preimage.slice(0, 40)),
      { sealed: { conf }, preimage: undefined },
    ],
    [
      "a bad .conf with a good preimage",
      viewerFragment(`${conf}PostUp = id`, preimage),
      { sealed: { flaw: "hook" }, preimage },
    ],
  ])("reads %s", (_name, fragment, link) => {
    expect(read(fragment)).toEqual(link);
  });

  it.each([
    ["a character of no base64", `${viewerFragment(conf)}!`],
    ["percent signs", encodeURIComponent(conf)],
    ["a length that base64 cannot have", "A"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe]).toString("base64url")],
    ["a third part", `${viewerFragment(conf, preimage)}.x`],
  ])("calls %s unreadable", (_name, fragment) => {
    expect(read(fragment)).toEqual({ sealed: { flaw: "unreadable" }, preimage: undefined });
  });

  it("shows nothing of a link that was cut off", () => {
    const end = Buffer.from(conf.slice(0, conf.indexOf("PersistentKeepalive") - 1)).toString(
      "base64url",
    ).length;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: end - 1 }), (length) => {
        expect(read(viewerFragment(conf).slice(0, length)).sealed).toHaveProperty("flaw");
      }),
    );
  });

  it("does not decode what is too long", () => {
    expect(read("!".repeat(5_000))).toEqual({ sealed: { flaw: "too-long" }, preimage: undefined });
  });

  it("never throws", () => {
    const parts = fc.array(fc.oneof(fc.base64String(), fc.string(), fc.constant(viewerFragment(conf))), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(parts, (texts) => {
        const { sealed } = read(texts.join("."));
        if (sealed !== undefined && "conf" in sealed) expect(sealed.conf).toBe(conf);
      }),
    );
  });
});

describe("readPreimage", () => {
  it("takes 64 hex with spaces around", () => {
    expect(readPreimage(` ${preimage.toUpperCase()}\n`)).toBe(preimage);
  });

  it.each(["", preimage.slice(1), `${preimage}0`, `${preimage.slice(1)}g`, `0x${preimage}`])(
    "takes no %j",
    (typed) => {
      expect(readPreimage(typed)).toBeUndefined();
    },
  );
});
