import { expect, it } from "vitest";
import { startMint } from "../testing/mint.ts";
import { createOperator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";

// Relays are asked for a minute before the daemon gives up: "no answer" is not "no wallet".
it("with Cashu on and no relay, ends with 1 and names each relay with what it said", async () => {
  const [refusing, mute] = [await startRelay(), await startRelay()];
  await refusing.stop();
  mute.mute = true;
  const mint = await startMint();
  const operator = await createOperator({ relays: [refusing.url, mute.url], mints: [mint.url] });
  try {
    const { exitCode, stdout, stderr } = await operator.command([], 100_000);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "{}");
    expect(last).toMatchObject({ event: "start-failed", level: "fatal" });
    for (const told of [`${refusing.url} said: `, `${mute.url} said: `, "nostr.relays", "cashu.enabled"]) {
      expect(last.msg).toContain(told);
    }
    expect(stdout).not.toContain('"event":"listening"');
  } finally {
    await operator.destroy();
    await mint.stop();
    await mute.stop();
  }
}, 120_000);
