import { join } from "node:path";
import { createRun } from "../wireguard/run.ts";

export interface ExpiredCertificate {
  /** PEM files. `authorityFile` is whoever signed it. */
  certificateFile: string;
  keyFile: string;
  authorityFile: string;
}

/** A certificate that ended yesterday, of an authority of its own. Needs openssl 3. */
export async function makeExpiredCertificate(folder: string, name: string): Promise<ExpiredCertificate> {
  const run = createRun();
  const file = (ending: string) => join(folder, `expired-${ending}`);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", [
    ...["req", "-x509", ...newKey, "-subj", "/CN=authority", "-days", "30"],
    ...["-keyout", file("ca.key"), "-out", file("ca.crt")],
  ]);
  await run("openssl", [
    ...["req", ...newKey, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`],
    ...["-keyout", file("site.key"), "-out", file("site.csr")],
  ]);
  await run("openssl", [
    ...["x509", "-req", "-in", file("site.csr"), "-CA", file("ca.crt"), "-CAkey", file("ca.key")],
    ...["-days", "-1", "-copy_extensions", "copy", "-out", file("site.crt")],
  ]);
  return {
    certificateFile: file("site.crt"),
    keyFile: file("site.key"),
    authorityFile: file("ca.crt"),
  };
}
