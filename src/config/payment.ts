import { normaliseMintUrl } from "../protocol/mint-url.ts";
import type { PaymentMethod } from "../protocol/payment-method.ts";
import type { Findings } from "./findings.ts";
import { publicKeyOf } from "./keys.ts";
import type { ConfigFile } from "./schema.ts";
import type { AcceptedMint, CashuConfig } from "./types.ts";

export function resolveCashu(
  { cashu, listing }: ConfigFile,
  advertised: PaymentMethod[],
  { problems, warnings }: Findings,
): CashuConfig | undefined {
  if (!cashu.enabled) return undefined;
  const privateKeyHex = cashu.p2pk_privkey_hex?.toLowerCase();
  const p2pk = privateKeyHex === undefined ? undefined : publicKeyOf(privateKeyHex);
  if (privateKeyHex === undefined || p2pk === undefined) return undefined;
  listing.payment_methods.forEach((method, index) => {
    // NUT-11 signatures are BIP-340: only the x coordinate counts, so either parity is the same lock.
    if (method.type !== "cashu" || method.p2pk === undefined || sameX(method.p2pk, p2pk)) return;
    problems.push(
      `listing.payment_methods[${index}].p2pk: is not the public key of cashu.p2pk_privkey_hex, so ecash locked to it would be lost; write ${p2pk}, or leave it out`,
    );
  });
  if (!advertised.some(({ type }) => type === "cashu")) {
    warnings.push(
      "cashu.enabled: ecash is accepted, but no [[listing.payment_methods]] of type cashu says so",
    );
  }
  const mints = acceptedMints(cashu.mint_url, advertised);
  for (const { url } of mints.filter(({ key }) => isPlainHttp(key))) {
    warnings.push(
      `listing.payment_methods: ${url} is not encrypted, so anyone on the way can take the ecash`,
    );
  }
  return {
    privateKeyHex,
    p2pk,
    mints,
    maxFeeSat: cashu.max_fee_sat,
    settleSeconds: cashu.settle_seconds,
    openHoldSeconds: cashu.open_hold_seconds,
  };
}

/** In the order of the file, each mint once, the legacy key last. */
function acceptedMints(legacyUrl: string | undefined, advertised: PaymentMethod[]): AcceptedMint[] {
  const urls = advertised.flatMap((method) => (method.type === "cashu" ? [method.mint] : []));
  const mints = new Map<string, AcceptedMint>();
  for (const url of [...urls, ...(legacyUrl === undefined ? [] : [legacyUrl])]) {
    const key = normaliseMintUrl(url);
    if (key !== undefined && !mints.has(key)) mints.set(key, { key, url: url.replace(/\/+$/, "") });
  }
  return [...mints.values()];
}

export function advertisedMethods(
  { server, cashu, listing }: ConfigFile,
  leftOut: ReadonlySet<number>,
): PaymentMethod[] {
  const origin = `https://${server.public_host.toLowerCase()}`;
  const ownP2pk = publicKeyOf(cashu.p2pk_privkey_hex ?? "");
  return listing.payment_methods.flatMap((method, index): PaymentMethod[] => {
    if (leftOut.has(index)) return [];
    if (method.type === "lightning") return [{ ...method, endpoint: method.endpoint ?? `${origin}/lnurlp` }];
    const p2pk = method.p2pk?.toLowerCase() ?? ownP2pk;
    if (p2pk === undefined) return [];
    return [{ type: "cashu", mint: method.mint, p2pk, endpoint: method.endpoint ?? `${origin}/purchase` }];
  });
}

function sameX(a: string, b: string): boolean {
  return a.slice(2).toLowerCase() === b.slice(2).toLowerCase();
}

function isPlainHttp(mintKey: string): boolean {
  const { protocol, hostname } = new URL(mintKey);
  return protocol === "http:" && !/^(localhost|127\..*|\[::1\]|.*\.onion)$/.test(hostname);
}
