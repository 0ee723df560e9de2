import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PaymentMethod } from "../protocol/payment-method.ts";
import { fileTrouble } from "./file-trouble.ts";
import type { Findings } from "./findings.ts";
import { isHex } from "./macaroon.ts";
import type { ConfigFile } from "./schema.ts";
import type { LightningConfig } from "./types.ts";

type Section = ConfigFile["lightning"];

/** Where each node listens when nobody tells it otherwise. */
const USUAL_URLS = { phoenixd: "http://127.0.0.1:9740", lnd: "https://127.0.0.1:8080", stub: "memory:" };

const TOKENS = {
  phoenixd: "phoenixd's http-password-limited-access (phoenix.conf has it)",
  lnd: "a macaroon in hex (`xxd -ps -c 1000 invoice.macaroon` prints it)",
};

export function resolveLightning(
  { lightning, server }: ConfigFile,
  advertised: PaymentMethod[],
  findings: Findings,
): LightningConfig | undefined {
  if (!lightning.enabled) return undefined;
  const { backend, stub_sells: stubSells } = lightning;
  const baseUrl = lightning.base_url ?? USUAL_URLS[backend];
  if (backend !== "stub") {
    checkToken(backend, lightning, findings);
    warnOfUrl(baseUrl, server.port, findings);
  }
  if (backend !== "stub" || stubSells) warnOfSilence(advertised, findings);
  if (backend === "stub" && stubSells) {
    findings.warnings.push(
      "lightning.stub_sells: every invoice counts as paid after a second, so anyone gets a tunnel for nothing; for trials only",
    );
  }
  return {
    backend,
    baseUrl,
    apiToken: backend === "lnd" ? lightning.api_token?.toLowerCase() : lightning.api_token,
    certificate: certificateOf(lightning, findings),
    successAction: lightning.success_action,
    invoiceSeconds: lightning.invoice_seconds,
    invoiceGraceSeconds: lightning.invoice_grace_seconds,
    stubSells,
  };
}

function checkToken(
  backend: "phoenixd" | "lnd",
  { api_token, api_token_file }: Section,
  { problems }: Findings,
): void {
  // A file that could not be read has been told of.
  if (api_token === undefined && api_token_file === undefined) {
    problems.push(
      `lightning.api_token: is missing while lightning.enabled is true and the backend is ${backend}; write ${TOKENS[backend]}, name a file with it in lightning.api_token_file, or write lightning.enabled = false`,
    );
  }
  if (backend === "lnd" && api_token !== undefined && !isHex(api_token)) {
    problems.push(
      `lightning.api_token: is no hex, as lnd wants its macaroon; write ${TOKENS.lnd}, or name the macaroon's own file in lightning.api_token_file`,
    );
  }
}

function warnOfUrl(baseUrl: string, ownPort: number, { warnings }: Findings): void {
  const { protocol, hostname, port } = new URL(baseUrl);
  if (/^(localhost|127\..*|\[::1\])$/.test(hostname) && port === String(ownPort)) {
    warnings.push(
      `lightning.base_url: ${baseUrl} has the port that this daemon listens on itself; change server.port or the node's`,
    );
  }
  // Names without a dot are those of containers on a network of their own.
  if (protocol === "http:" && !/^([\w-]+|127\..*|\[::1\]|.*\.onion)$/.test(hostname)) {
    warnings.push(
      `lightning.base_url: ${baseUrl} is not encrypted, so anyone on the way can read lightning.api_token`,
    );
  }
}

function warnOfSilence(advertised: PaymentMethod[], { warnings }: Findings): void {
  if (advertised.some(({ type }) => type === "lightning")) return;
  warnings.push(
    "lightning.enabled: Lightning is accepted, but no [[listing.payment_methods]] of type lightning says so",
  );
}

function certificateOf({ backend, cert_file: path }: Section, findings: Findings): string | undefined {
  if (path === undefined) return undefined;
  if (backend !== "lnd") {
    findings.warnings.push(`lightning.cert_file: not read, since ${backend} has no use for it`);
    return undefined;
  }
  try {
    const pem = readFileSync(path, "utf8");
    if (isCertificate(pem)) return pem;
    findings.problems.push(
      "lightning.cert_file: the file holds no certificate (PEM); name lnd's tls.cert, or a copy of it",
    );
  } catch (error) {
    findings.problems.push(
      `lightning.cert_file: the file ${fileTrouble(error)}; name lnd's tls.cert, or a copy of it that this user may read`,
    );
  }
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
