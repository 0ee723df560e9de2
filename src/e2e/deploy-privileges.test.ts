import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BootstrapFolder, makeBootstrapFolder } from "../testing/bootstrap.ts";
import { detectWireguard } from "../testing/detect-wireguard.ts";
import { eventually } from "../testing/eventually.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { toolsMissing } from "../testing/tools.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const inCi = Boolean(process.env.CI);
const missing = (await tunnelsMissing(inCi)) ?? toolsMissing(["setpriv", "openssl"], inCi);
const wireguard = await detectWireguard();
const backend = wireguard.available ? wireguard.backend : undefined;

/** Whoever made the folders with bootstrap.sh, and the unit's user. Neither need have a name. */
const OPERATOR = 4001;
const SERVICE = 4002;

const only = (names: string[]) => ["-all", ...names.map((name) => `+${name}`)].join(",");

/** What a process of docker-compose.yml's container is: root with these and no others (rule 34). */
const rootWith = (...names: string[]) => [
  "setpriv",
  "--no-new-privs",
  `--bounding-set=${only(names)}`,
  "--inh-caps=-all",
];

/** What europa-node.service's process is: a user of its own, and what AmbientCapabilities gives it. */
const userWith = (...names: string[]) => [
  ...["setpriv", `--reuid=${SERVICE}`, `--regid=${SERVICE}`, "--clear-groups", "--no-new-privs"],
  ...["bounding-set", "inh-caps", "ambient-caps"].map((set) => `--${set}=${only(names)}`),
];

describe.skipIf(missing)(`with few rights${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let market: TunnelMarket;
  let folder: TempDir;
  let daemon: ChildProcess | undefined;
  let printed = "";

  beforeAll(async () => {
    market = await openTunnelMarket({ tag: "e2epriv", buyers: 1 });
    folder = await makeTempDir();
    await run("sh", [join(ROOT, "scripts/pack.sh"), folder.path]);
    await run("chmod", ["755", folder.path]);
  }, 60_000);

  afterEach(async () => {
    if (daemon?.exitCode === null && daemon.kill("SIGKILL")) await once(daemon, "exit");
  });

  afterAll(async () => {
    await market?.destroy();
    await folder?.remove();
  }, 30_000);

  /** The daemon's command with these rights, for a config in a folder that is its owner's alone. */
  function commandFor(privileges: readonly string[], ...args: string[]): [string, string[]] {
    const [program = "", ...rest] = [...market.world.commandPrefix("operator"), ...privileges];
    return [program, [...rest, process.execPath, join(folder.path, "dist/index.cjs"), ...args]];
  }

  async function giveTo(owner: number, path: string): Promise<void> {
    await run("chown", ["-R", `${owner}:${owner}`, path]);
    await run("chmod", ["-R", "go=", path]);
  }

  async function startBelongingTo(
    owner: number,
    privileges: readonly string[],
    { folder, configPath } = market.operator as { folder: string; configPath: string },
  ): Promise<void> {
    await giveTo(owner, folder);
    printed = "";
    const [program, args] = commandFor(privileges);
    daemon = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, EUROPA_NODE_CONFIG: configPath },
    });
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    }
  }

  const says = (text: string) => eventually(() => printed.includes(text) || hasEnded(), 30_000);
  const hasEnded = () => daemon?.exitCode !== null;

  it("root without DAC_OVERRIDE cannot read what bootstrap.sh made for another user", async () => {
    await startBelongingTo(OPERATOR, rootWith("net_admin"));
    await eventually(hasEnded, 30_000);
    expect(daemon?.exitCode).toBe(78);
    expect(printed).toContain(market.operator.configPath);
  });

  it("the container's two capabilities sell a tunnel from another user's folders", async () => {
    await startBelongingTo(OPERATOR, rootWith("net_admin", "dac_override"));
    await says('"event":"listening"');
    const sold = await market.buy();
    expect((await market.peers()).get(sold.buyer.wireguard.publicKey)).toBe(`${sold.address}/32`);
    expect(await market.world.exec("operator", ["nft", "list", "tables"])).toContain(
      "europa_limits_wg-e2epriv",
    );
  });

  it("the unit's user with CAP_NET_ADMIN holds tunnels to their limits by nftables", async () => {
    await startBelongingTo(SERVICE, userWith("net_admin"));
    await says('"event":"listening"');
    expect(printed).not.toContain("limits-by-daemon");
  });

  /** What `bootstrap.sh --yes` makes in an empty folder, for this world's interface and market. */
  async function bootstrapped(): Promise<{ made: BootstrapFolder; folder: string; configPath: string }> {
    const made = await makeBootstrapFolder();
    const { nsecHex, p2pkPrivkeyHex, serverKeys, publicHost, dTag } = market.operator;
    // Keys that stand are taken; so the world's buyers and its interface know this operator.
    made.put("secrets/nsec", nsecHex);
    made.put("secrets/p2pk", p2pkPrivkeyHex);
    made.put("secrets/wg-server.key", serverKeys.privateKey);
    made.put("secrets/wg-server.pub", serverKeys.publicKey);
    const { mint, relay } = market;
    const env = {
      PUBLIC_HOST: publicHost,
      D_TAG: dTag,
      MINTS: mint.url,
      RELAYS: relay.url,
      PRICES: "10/hour",
    };
    expect(await made.run({ env })).toMatchObject({ exitCode: 0 });
    const [host = "", port = ""] = publicHost.split(":");
    const here = {
      'host = "127.0.0.1"': `host = "${host}"`,
      "port = 8080": `port = ${port}`,
      'interface = "wg0"': `interface = "${market.world.interfaceName}"`,
    };
    const config = made.read("config/config.toml");
    made.put(
      "config/config.toml",
      Object.entries(here).reduce((so, [piece, by]) => so.replace(piece, by), config),
    );
    return { made, folder: made.path, configPath: join(made.path, "config/config.toml") };
  }

  it("what bootstrap.sh makes for another user passes check-config and sells a tunnel", async () => {
    const operator = await bootstrapped();
    try {
      const privileges = rootWith("net_admin", "dac_override");
      await giveTo(OPERATOR, operator.folder);
      const [program, args] = commandFor(privileges, "check-config");
      const env = { PATH: process.env.PATH, EUROPA_NODE_CONFIG: operator.configPath };
      await run(program, args, { env });
      await startBelongingTo(OPERATOR, privileges, operator);
      await says('"event":"listening"');
      const sold = await market.buy();
      expect((await market.peers()).get(sold.buyer.wireguard.publicKey)).toBe(`${sold.address}/32`);
      expect(operator.made.modes()).toMatchObject({ "data/sessions.db": "600", "secrets/nsec": "600" });
    } finally {
      if (daemon?.exitCode === null && daemon.kill("SIGKILL")) await once(daemon, "exit");
      await operator.made.remove();
    }
  });

  // wireguard-go looks at who owns its socket, only the kernel at the capability.
  if (backend === "kernel") {
    it("the unit's user with CAP_NET_ADMIN sells a tunnel", async () => {
      await startBelongingTo(SERVICE, userWith("net_admin"));
      await says('"event":"listening"');
      const sold = await market.buy();
      expect((await market.peers()).get(sold.buyer.wireguard.publicKey)).toBe(`${sold.address}/32`);
    });
  }

  it("a user without it is told which capability is missing, and does not start where limits may stand", async () => {
    await startBelongingTo(SERVICE, userWith());
    await eventually(hasEnded, 30_000);
    expect(daemon?.exitCode).toBe(78);
    expect(printed).toMatch(/"event":"start-failed".*CAP_NET_ADMIN/);
  });

  it("where none stand he is told the same, and sells nothing", async () => {
    market.operator.writeConfig({ enforcement: "daemon" });
    await startBelongingTo(SERVICE, userWith());
    await says('"event":"listening"');
    await says("CAP_NET_ADMIN");
    expect(printed).toMatch(/"event":"wireguard-trouble".*CAP_NET_ADMIN/);
    const health = await market.health();
    expect([health.status, health.wireguard]).toEqual([503, expect.stringContaining("no permission")]);
    const refused = await (await market.prepare()).send();
    expect([refused.status, refused.body.reason]).toEqual([503, "tunnel-unavailable"]);
  });
});
