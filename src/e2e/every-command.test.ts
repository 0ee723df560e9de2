import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import { booksReportSchema } from "../books/report.ts";
import { walletBalanceSchema } from "../books/wallet-balance.ts";
import { checkedConfigSchema } from "../cli/check-config.ts";
import { type Command, UsageError } from "../cli/command.ts";
import { commands } from "../cli/commands.ts";
import { tierLnurlsSchema } from "../cli/lnurl.ts";
import { controlPath } from "../control/control-path.ts";
import { openControl } from "../control/server.ts";
import { type ListingPublished, listingReportSchema, publishedSchema } from "../daemon/listing-report.ts";
import { restoreReportSchema } from "../daemon/restore-report.ts";
import {
  sessionExtendSchema,
  sessionListSchema,
  sessionRevokeSchema,
  sessionShowSchema,
} from "../daemon/sessions-report.ts";
import { type StatusReport, statusReportSchema } from "../daemon/status-report.ts";
import { lockInstance } from "../db/instance-lock.ts";
import { createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { republishedSchema } from "../wallet/republish.ts";

const DAY = { amount: 100, unit: "day" } as const;
const ADDRESS = "10.66.42.2";
const NOBODY = "10.66.42.99";
const RECIPIENT = await identityToRecipient(await generateX25519Identity());

interface Step {
  argv: readonly string[];
  schema: z.ZodType;
  exitCode: number;
}

const step = (argv: readonly string[], schema: z.ZodType, exitCode = 0): Step => ({ argv, schema, exitCode });

/** In this order, at a daemon that has sold one tunnel. */
const steps: readonly Step[] = [
  step(["check-config"], checkedConfigSchema),
  step(["lnurl"], tierLnurlsSchema),
  step(["status"], statusReportSchema),
  step(["sessions", "list"], sessionListSchema),
  step(["sessions", "list", "--all"], sessionListSchema),
  step(["sessions", "show", ADDRESS], sessionShowSchema),
  step(["sessions", "show", NOBODY], sessionShowSchema, 1),
  step(["sessions", "extend", ADDRESS, "--hours", "5"], sessionExtendSchema),
  step(["sessions", "extend", NOBODY, "--gib", "1"], sessionExtendSchema, 1),
  step(["sessions", "revoke", ADDRESS, "--reason", "a report"], sessionRevokeSchema),
  step(["sessions", "revoke", ADDRESS, "--reason", "a report"], sessionRevokeSchema, 1),
  step(["listing", "pause"], publishedSchema),
  step(["listing", "show"], listingReportSchema),
  step(["listing", "retire"], publishedSchema),
  step(["listing", "resume"], publishedSchema),
  step(["listing", "publish"], publishedSchema),
  step(["books"], booksReportSchema),
  step(["wallet", "balance"], walletBalanceSchema),
  step(["wallet", "republish"], republishedSchema),
  step(["restore", "--report"], restoreReportSchema),
];

/** At the same daemon, once its relay is gone. */
const inTheDark: readonly Step[] = [
  step(["status"], statusReportSchema),
  step(["listing", "show"], listingReportSchema, 2),
  ...["pause", "resume", "publish", "retire"].map((word) => step(["listing", word], publishedSchema, 2)),
  step(["books"], booksReportSchema, 2),
  step(["wallet", "balance"], walletBalanceSchema, 2),
  step(["wallet", "republish"], republishedSchema, 2),
];

/** Exit codes that take another scene, and where they have it. */
const elsewhere = [
  "books 1", // e2e/books.test.ts
  "lnurl 1", // cli/lnurl.test.ts
  "listing publish 1", // below, where there is nothing to offer
  "listing pause 1",
  "listing resume 1",
  "listing retire 1", // below, of a daemon that ends
  "doctor 0", // e2e/doctor-tunnels.test.ts
  "doctor 1", // e2e/doctor-buy.test.ts
  ...["refund 0", "refund 1", "refund 2"], // e2e/refund.test.ts
  ...["backup 0", "backup 1", "restore 0", "restore 1", "restore 2"], // e2e/backup.test.ts
  "backup 2", // below, without the interface's key
  ...["enforcement off 0", "enforcement off 1"], // e2e/limits.test.ts
];
/** The daemon itself is in cli.test.ts. */
const walked = commands.filter(({ name }) => name !== "");
/** Without a daemon it makes the backup itself. */
const answersAlone = ["backup"];

/** What a command asks for beside its arguments. */
const demanded: Readonly<Record<string, readonly string[]>> = {
  "sessions revoke": ["--reason", "y"],
  "sessions extend": ["--hours", "1"],
  backup: ["--recipient", RECIPIENT],
  restore: ["--report"],
  refund: ["--token-file", import.meta.filename],
};

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;

beforeAll(async () => {
  relay = await startRelay();
  mint = await startMint();
  operator = await createOperator({
    relays: [relay.url],
    mints: [mint.url],
    lightning: { backend: "stub" },
  });
});
afterAll(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

function find(argv: readonly string[]): { command: Command; rest: string[] } {
  for (const count of [2, 1]) {
    const command = commands.find(({ name }) => name === argv.slice(0, count).join(" "));
    if (command) return { command, rest: argv.slice(count) };
  }
  throw new Error(`there is no command ${argv.join(" ")}`);
}

/** In this process: what the binary makes of argv and exit code is in cli.test.ts. */
async function run(
  argv: readonly string[],
  { configPath = operator.configPath, wireguardMode = "in-memory" } = {},
) {
  const { command, rest } = find(argv);
  const out: string[] = [];
  const err: string[] = [];
  const environment = {
    configPath,
    logLevel: "info",
    wireguardMode,
    defaultNsecFile: join(operator.folder, "none"),
  };
  const exitCode = await command.run(rest, {
    environment,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    inColor: false,
  });
  return { exitCode, out, err };
}

async function statusNow(): Promise<StatusReport> {
  return statusReportSchema.parse(JSON.parse((await run(["status", "--json"])).out[0] ?? ""));
}

async function walk(some: readonly Step[]): Promise<void> {
  for (const { argv, schema, exitCode } of some) {
    const asJson = await run([...argv, "--json"]);
    const told = { argv, exitCode: asJson.exitCode, err: asJson.err };
    expect(told).toEqual({ argv, exitCode, err: [] });
    expect(asJson.out).toHaveLength(1);
    const parsed = schema.safeParse(JSON.parse(asJson.out[0] ?? ""));
    expect({ argv, wrong: parsed.error?.issues }).toEqual({ argv, wrong: undefined });
  }
}

it("knows a step for every command, and a scene for every exit code", () => {
  const seen = [...steps, ...inTheDark].map(({ argv, exitCode }) => `${find(argv).command.name} ${exitCode}`);
  const general = ["64", "69", "78"];
  for (const { name, exits } of walked) {
    for (const code of Object.keys(exits).filter((exit) => !general.includes(exit))) {
      expect([...seen, ...elsewhere]).toContain(`${name} ${code}`);
    }
  }
});

describe.each(walked.map((command) => [command.name, command] as const))("%s", (name, command) => {
  const needed = Object.entries(command.arguments).flatMap(([, { optional }]) => (optional ? [] : ["x"]));
  const whole = [...name.split(" "), ...needed, ...(demanded[name] ?? [])];

  it("64 for one argument too many, which it names", async () => {
    const more = [...whole, ...Object.keys(command.arguments).slice(needed.length), "surplus"];
    await expect(run(more)).rejects.toThrow(UsageError);
    await expect(run(more)).rejects.toThrow('"surplus"');
  });

  if (69 in command.exits && !answersAlone.includes(name)) {
    it("69 without a daemon, in words, nothing on stdout", async () => {
      expect(await run(whole)).toEqual({
        exitCode: 69,
        out: [],
        err: [expect.stringMatching(/^no daemon answers at .*: is it running, with this configuration\?$/)],
      });
    });
  }

  if (78 in command.exits) {
    it("78 for a config that is wrong", async () => {
      const bad = join(operator.folder, "bad.toml");
      writeFileSync(bad, "[server]\nport = 0\n");
      expect((await run(whole, { configPath: bad })).exitCode).toBe(78);
      rmSync(bad);
    });
  }
});

it.each([
  [["sessions", "revoke", "x"], /--reason <text> is missing/],
  [["sessions", "revoke", "x", "--reason", " "], /--reason <text> is missing/],
  [["sessions", "revoke", "x", "--reason", "y".repeat(201)], /has 201 characters, at most 200/],
  [["sessions", "revoke", "--reason", "y"], /<session> is missing/],
  [["sessions", "extend", "x"], /one of --hours <n> and --gib <n>/],
  [["sessions", "extend", "x", "--hours", "1", "--gib", "1"], /one of --hours <n> and --gib <n>/],
  ...["0", "-1", "1.5", "8761", "many", ""].map(
    (hours) => [["sessions", "extend", "x", `--hours=${hours}`], /--hours must be a whole number/] as const,
  ),
  [["sessions", "extend", "x", "--gib", "10241"], /--gib must be a whole number from 1 to 10240/],
] as const)("64 for %j", async (argv, said) => {
  await expect(run(argv)).rejects.toThrow(said);
});

it("every answer is as its schema has it, with every exit code, with the relay and without", {
  timeout: 400_000,
}, async () => {
  await operator.start();
  await operator.waitForEvent("listing-published");
  const { token } = await mintToken({
    mintUrl: mint.url,
    amountSat: DAY.amount,
    lock: { pubkey: operator.p2pk },
  });
  expect((await createBuyer().purchase(orderAt(operator, DAY, { token }))).status).toBe(200);
  await walk(steps);
  expect(await statusNow()).toMatchObject({ troubles: [], restored: null });
  await relay.stop();
  await walk(inTheDark);
});

it("status says what is wrong for as long as it is, without notifications too", async () => {
  const names = async () => (await statusNow()).troubles.map(({ name }) => name);
  await expect.poll(names, { timeout: 60_000, interval: 1_000 }).toContain(`relay ${relay.url}`);
  const { out } = await run(["status"]);
  expect(out[2]).toMatch(new RegExp(`^relay ${relay.url}, for \\d+ \\w+: not connected, `));
  await relay.start();
  await expect.poll(names, { timeout: 110_000, interval: 1_000 }).toEqual([]);
});

it("1 where there is nothing to offer, in words; what was asked for stands all the same", async () => {
  await operator.stop();
  operator.writeConfig({ mints: [], cashuEnabled: false });
  await operator.start();
  for (const word of ["pause", "resume", "publish"]) {
    expect(await run(["listing", word])).toMatchObject({
      exitCode: 1,
      out: [
        expect.stringMatching(/^The listing is/),
        "Nothing went out: no payment method is ready to be offered.",
      ],
    });
  }
  await operator.stop();
});

describe("beside a daemon that does not answer as it should", () => {
  it("backup: 69 while one holds the book and is silent", async () => {
    const lock = lockInstance(operator.databasePath);
    const out = join(operator.folder, "silent.age");
    expect(await run(["backup", "--recipient", RECIPIENT, "--out", out])).toMatchObject({
      exitCode: 69,
      out: [],
      err: [expect.stringMatching(/^no daemon answers at /)],
    });
    lock.release();
    expect(existsSync(out)).toBe(false);
  });

  it("listing retire: 1 while it ends; what was asked for stands all the same", async () => {
    const control = await openControl(controlPath(operator.databasePath), pino({ level: "silent" }));
    const ending: ListingPublished = {
      standing: "retired",
      status: null,
      failed: "the daemon ends",
      relays: [],
    };
    control.serve("listing-retire", () => Promise.resolve(ending));
    expect(await run(["listing", "retire"])).toMatchObject({
      exitCode: 1,
      out: [expect.stringMatching(/^The listing is retired/), "Nothing went out: the daemon ends."],
    });
    await control.close();
  });
});

it("backup: 2 without the interface's key, which it names; the rest is in the file", async () => {
  const out = join(operator.folder, "keyless.age");
  operator.writeConfig({ interfaceName: "wg-is-not-here" });
  const argv = ["backup", "--recipient", RECIPIENT, "--out", out, "--json"];
  const made = await run(argv, { wireguardMode: "kernel" });
  expect(made).toMatchObject({ exitCode: 2, err: [] });
  const absent = [{ name: "wireguard.private_key", why: "`wg show` does not give it to this user" }];
  expect(JSON.parse(made.out[0] ?? "")).toMatchObject({ path: out, absent });
  expect(existsSync(out)).toBe(true);
});
