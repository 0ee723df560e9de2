import type { Bought, Price } from "../../protocol/price.ts";
import type { Cipher } from "../../protocol/purchase-comment.ts";
import { type AesAction, configViewerUrl, sealSuccessAction } from "../../protocol/success-action.ts";
import { renderBareConf, renderUnpaidConf, type ServerEnd } from "../../tunnels/conf.ts";
import { claimUrl } from "./claim-urls.ts";

/** What LUD-10's 4096 characters of base64 hold: PKCS#7 adds a byte at least, GCM its tag of 16. */
const MOST_BYTES: Record<Cipher, number> = { "aes-256-cbc": 3071, "aes-256-gcm": 3056 };

export interface UnpaidConf {
  address: string;
  price: Price;
  quantity: Bought;
  paymentHash: string;
  /** 64 hex: the key to it. */
  preimage: string;
  cipher: Cipher;
}

export type SealConf = ReturnType<typeof createSealConf>;

/**
 * Seals the .conf into an invoice's answer, for whoever pays it to open (LUD-10). With a very long `d` or host there is
 * no room for all that its head tells: then only the way to the present .conf is left of that. Throws `RangeError` at
 * once when there would be no room even so.
 */
export function createSealConf(server: ServerEnd, publicHost: string) {
  function whole(unpaid: UnpaidConf): string {
    const { address, price, quantity, paymentHash } = unpaid;
    const purchased = { price, method: "lightning", claimUrl: claimUrl(publicHost, paymentHash) };
    return inForm(unpaid, renderUnpaidConf(server, address, quantity, purchased));
  }

  function bare(unpaid: UnpaidConf): string {
    const { address, paymentHash } = unpaid;
    return inForm(unpaid, renderBareConf(server, address, claimUrl(publicHost, paymentHash)));
  }

  function inForm({ cipher, preimage }: UnpaidConf, conf: string): string {
    return cipher === "aes-256-gcm" ? conf : configViewerUrl(publicHost, conf, preimage);
  }

  sealSuccessAction({ ...longest, plaintext: bare(longest) });
  return (unpaid: UnpaidConf): AesAction => {
    const text = whole(unpaid);
    const fits = Buffer.byteLength(text) <= MOST_BYTES[unpaid.cipher];
    return sealSuccessAction({ ...unpaid, plaintext: fits ? text : bare(unpaid) });
  };
}

/** Nothing bare is longer, and the other form needs less room. */
const longest: UnpaidConf = {
  address: "255.255.255.255",
  price: { amount: 1, currency: "sat", unit: "day" },
  quantity: { seconds: 1, bytes: 0 },
  paymentHash: "0".repeat(64),
  preimage: "0".repeat(64),
  cipher: "aes-256-cbc",
};
