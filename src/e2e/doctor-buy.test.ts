import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WEB } from "../testing/buyers-targets.ts";
import { type CheckResult, type DoctorHost, openDoctorHost, readChecks } from "../testing/doctor-host.ts";
import { type MintedToken, mintToken, proofStates } from "../testing/ecash.ts";
import { inNamespace } from "../testing/namespace-tools.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { toolsMissing } from "../testing/tools.ts";

const ANOTHER_KEY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const inCi = Boolean(process.env.CI);
const missing = (await operatorHostMissing(inCi)) ?? toolsMissing(["caddy", "curl"], inCi);

describe.skipIf(missing !== undefined)(`doctor --buy${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let at: DoctorHost;
  let byStdin = false;

  beforeAll(async () => {
    at = await openDoctorHost("drbuy");
    await at.operator.start();
  });
  afterAll(() => at?.destroy());
  /** Nothing of the doctor's stays on the host, whatever came of it. */
  afterEach(async () => expect(await traces()).toBe(""));

  const traces = () =>
    at.onHost(
      "{ ip -br link; ls /run/netns /etc/netns /tmp; ls /var/run/wireguard; } | grep -E 'eu-dr-|europa-doctor-' || true",
    );
  const minted = (lock = { pubkey: at.operator.p2pk }) =>
    mintToken({ mintUrl: at.mint.url, amountSat: 10, lock });
  const statesOf = async ({ proofs }: MintedToken) => new Set(await proofStates(at.mint.url, proofs));

  /** Each time the token comes another way: from a file, and from standard input. */
  async function buy(
    { token }: MintedToken,
    ...more: string[]
  ): Promise<{ exitCode: number; steps: CheckResult[] }> {
    const file = join(at.operator.folder, "token");
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const prefix = inNamespace(at.host.namespaceOf("host"));
    const fromStdin = ["sh", "-c", 'file=$1; shift; exec "$@" <"$file"', "sh", file];
    byStdin = !byStdin;
    at.operator.writeConfig({ commandPrefix: byStdin ? [...prefix, ...fromStdin] : prefix });
    const ended = await at.doctor(["--buy", byStdin ? "-" : file, "--json", ...more], 110_000);
    for (const secret of [token, at.operator.nsecHex, at.operator.p2pkPrivkeyHex]) {
      expect(ended.stdout + ended.stderr).not.toContain(secret);
    }
    return { exitCode: ended.exitCode, steps: readChecks(ended) };
  }

  it("buys the cheapest tier, brings the tunnel up, looks at two pages through it, and cleans up", async () => {
    const token = await minted();
    const { exitCode, steps } = await buy(token, "--url", `http://${WEB.v4}/`);
    expect(steps.map(({ name, status }) => [name, status])).toEqual([
      ["buy-token", "ok"],
      ["buy-room", "ok"],
      ["buy-purchase", "ok"],
      ["buy-tunnel", "ok"],
      ["buy-page", "ok"],
      ["buy-outside", "ok"],
    ]);
    expect(exitCode).toBe(0);
    expect(await statesOf(token)).toEqual(new Set(["SPENT"]));
    expect(at.operator.events("purchase-granted")).toHaveLength(1);
  });

  it("does not use a token that the daemon would not take, and says to whom it must be locked", async () => {
    const token = await minted({
      pubkey: `02${ANOTHER_KEY}`,
    });
    const { exitCode, steps } = await buy(token);
    expect(steps).toEqual([
      expect.objectContaining({
        name: "buy-token",
        status: "fail",
        seen: expect.stringContaining("The token was not used"),
        mend: expect.stringContaining(at.operator.p2pk),
      }),
    ]);
    expect(exitCode).toBe(1);
    expect(await statesOf(token)).toEqual(new Set(["UNSPENT"]));
  });

  it("says that the token is unspent when the daemon refuses", async () => {
    const token = await minted();
    // The daemon that runs was started with another price.
    at.operator.writeConfig({ prices: [{ amount: 7, unit: "hour" }] });
    const { exitCode, steps } = await buy(token);
    at.operator.writeConfig({ prices: [{ amount: 10, unit: "hour" }] });
    expect(steps.at(-1)).toMatchObject({
      name: "buy-purchase",
      status: "fail",
      seen: expect.stringMatching(/refuses: price-mismatch: .*; the token is unspent/),
    });
    expect(exitCode).toBe(1);
    expect(await statesOf(token)).toEqual(new Set(["UNSPENT"]));
  });

  it("keeps the .conf when the tunnel does not come up, and gets the same tunnel for the same token", async () => {
    const token = await minted();
    await at.onHost("nft add table inet closed");
    await at.onHost(
      "nft 'add chain inet closed in { type filter hook input priority 0; }; add rule inet closed in udp dport 51820 drop'",
    );
    const failed = await buy(token);
    await at.onHost("nft delete table inet closed");
    expect(failed.exitCode).toBe(1);
    const last = failed.steps.at(-1);
    expect(last).toMatchObject({ name: "buy-tunnel", status: "fail" });
    expect(last?.seen).toMatch(/did not come up; the token is spent/);
    expect(last?.mend).toContain("open UDP 51820");
    const path = /the \.conf is in (\S+)$/.exec(last?.seen ?? "")?.[1] ?? "";
    expect(existsSync(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const address = addressIn(readFileSync(path, "utf8"));
    rmSync(path);

    const granted = at.operator.events("purchase-granted").length;
    const again = await buy(token);
    expect(again.exitCode).toBe(0);
    expect(at.operator.events("purchase-granted")).toHaveLength(granted);
    const peers = await at.host.exec("host", ["wg", "show", at.host.interfaceName, "allowed-ips"]);
    expect(peers.split("\n").filter((line) => line.includes(address))).toHaveLength(1);
  });
});

function addressIn(conf: string): string {
  expect(conf).toMatch(/^PrivateKey = [A-Za-z0-9+/]{43}=$/m);
  return /^Address = (\S+)$/m.exec(conf)?.[1] ?? "";
}
