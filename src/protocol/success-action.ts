import { cbc, gcm } from "@noble/ciphers/aes.js";
import { randomBytes } from "@noble/ciphers/utils.js";
import { base64urlnopad, hex, utf8 } from "@scure/base";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Cipher } from "./purchase-comment.ts";

/** LUD-10, and by which cipher: wallets know CBC alone, clients of the marketplace's first spec GCM alone. */
export interface AesAction {
  tag: "aes";
  description: string;
  /** Base64. */
  ciphertext: string;
  /** Base64 of 16 bytes. */
  iv: string;
  cipher: Cipher;
}

/** What the URL of a .conf's viewer says. */
export interface ConfigView {
  /** wg-quick text, as it was when the invoice was made. */
  conf: string;
  /** 64 hex in lower case: gets the .conf as it is now. `undefined` where the operator gives none. */
  preimage: string | undefined;
}

const DESCRIPTION = "Your VPN configuration";
/** LUD-10, of base64. */
const CIPHERTEXT_MAX_CHARACTERS = 4096;
const IV_BYTES = 16;
const PREIMAGE = /^[0-9a-f]{64}$/i;

/**
 * Locks `plaintext` with an invoice's preimage (64 hex). `iv` is 16 random bytes unless given; never the same for
 * two plaintexts under one preimage. RangeError for what is no preimage or IV, and for more than LUD-10 has room for:
 * 3071 bytes of UTF-8 in CBC, 3056 in GCM.
 */
export function sealSuccessAction({
  preimage,
  cipher,
  plaintext,
  iv = randomBytes(IV_BYTES),
}: {
  preimage: string;
  cipher: Cipher;
  plaintext: string;
  iv?: Uint8Array | undefined;
}): AesAction {
  const key = keyOf(preimage);
  if (key === undefined) throw new RangeError("a preimage is 64 hex characters");
  if (iv.length !== IV_BYTES) throw new RangeError(`an IV has ${IV_BYTES} bytes`);
  const ciphertext = encodeBase64(aes(cipher, key, iv).encrypt(utf8.decode(plaintext)));
  if (ciphertext.length > CIPHERTEXT_MAX_CHARACTERS) {
    throw new RangeError(`a success action holds at most ${CIPHERTEXT_MAX_CHARACTERS} characters of base64`);
  }
  return { tag: "aes", description: DESCRIPTION, ciphertext, iv: encodeBase64(iv), cipher };
}

/**
 * The buyer's side: the plaintext, or `undefined` when this preimage does not open the action. An action that names
 * no cipher is GCM if its tag says so, else LUD-10's CBC. CBC has no tag: now and then another preimage opens it too,
 * and what comes out is rubbish.
 */
export function openSuccessAction(
  { ciphertext, iv, cipher }: Pick<AesAction, "ciphertext" | "iv"> & { cipher?: Cipher | undefined },
  preimage: string,
): string | undefined {
  const key = keyOf(preimage);
  const ivBytes = decodeBase64(iv);
  const sealed = ciphertext.length > CIPHERTEXT_MAX_CHARACTERS ? undefined : decodeBase64(ciphertext);
  if (key === undefined || ivBytes?.length !== IV_BYTES || sealed === undefined) return undefined;
  const open = (by: Cipher) => unlock(by, key, ivBytes, sealed);
  return cipher === undefined ? (open("aes-256-gcm") ?? open("aes-256-cbc")) : open(cipher);
}

/**
 * All that is secret stands in the fragment, which no browser sends anywhere. `publicHost` is `host` or `host:port`,
 * the preimage 64 hex in lower case.
 */
export function configViewerUrl(publicHost: string, conf: string, preimage: string): string {
  return `https://${publicHost}/config-viewer#${base64urlnopad.encode(utf8.decode(conf))}.${preimage}`;
}

/** Reads what `configViewerUrl` writes; `undefined` for anything else. */
export function readConfigViewerUrl(url: string): ConfigView | undefined {
  const [, encoded, preimage] =
    /^https?:\/\/[^/?#]+\/config-viewer#([\w-]+)(?:\.([0-9a-f]{64}))?$/.exec(url) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return { conf: utf8.encode(base64urlnopad.decode(encoded)), preimage };
  } catch {
    return undefined;
  }
}

/** The decoder's own error would quote what is wrong, and a preimage is a secret. */
function keyOf(preimage: string): Uint8Array | undefined {
  return PREIMAGE.test(preimage) ? hex.decode(preimage) : undefined;
}

/** CBC pads by PKCS#7, GCM puts its 16-byte tag after the ciphertext. */
function aes(cipher: Cipher, key: Uint8Array, iv: Uint8Array) {
  return cipher === "aes-256-cbc" ? cbc(key, iv) : gcm(key, iv);
}

function unlock(cipher: Cipher, key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): string | undefined {
  try {
    return utf8.encode(aes(cipher, key, iv).decrypt(sealed));
  } catch {
    return undefined;
  }
}
