import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Check } from "../check.ts";
import { fail, ok, unseen, warn } from "../finding.ts";

const WITHIN_MS = 5_000;
/** Relays refuse what is dated ahead, and buyers sign for 300 s. */
const WRONG_SECONDS = 60;
const ODD_SECONDS = 10;

/** This host's clock against the Date header of its relays and mints: most of them are right. */
export const clock: Check = {
  name: "clock",
  group: "host",
  async look({ config, clock: { now } }) {
    const relays = config.nostr.relays.map((url) => url.replace(/^ws/i, "http"));
    const mints = config.cashu?.mints.map(({ url }) => url) ?? [];
    const answers = await Promise.all([...relays, ...mints].map((url) => aheadOf(url, now)));
    const offsets = answers.filter((offset) => offset !== undefined).sort((a, b) => a - b);
    const middle = offsets[Math.floor(offsets.length / 2)];
    if (middle === undefined) return unseen("no relay and no mint tells the time now", "timedatectl status");
    const [seconds, witnesses] = [Math.abs(middle), `${offsets.length} of relays and mints`];
    if (seconds <= ODD_SECONDS) return ok(`the clock is right, as ${witnesses} have it`);
    const seen = `the clock is ${seconds} s ${middle > 0 ? "ahead" : "behind"}, as ${witnesses} have it`;
    const mend = "let it be set by the network, as root: timedatectl set-ntp true";
    return seconds > WRONG_SECONDS ? fail(seen, mend) : warn(seen, mend);
  },
};

/** Seconds by which this host is ahead of the one that answers. */
function aheadOf(url: string, now: () => number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const asked = send(url, {
      method: "HEAD",
      agent: false,
      // A clock that is wrong finds no certificate valid.
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    asked.once("error", () => resolve(undefined));
    asked.once("response", ({ headers }) => {
      const theirs = Date.parse(headers.date ?? "");
      asked.destroy();
      resolve(Number.isNaN(theirs) ? undefined : now() - Math.floor(theirs / 1000));
    });
    asked.end();
  });
}
