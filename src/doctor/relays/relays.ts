import { finalizeEvent } from "nostr-tools/pure";
import { readIdentity } from "../../nostr/identity.ts";
import type { RelayAnswer } from "../../nostr/relay-answer.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, ok, unseen } from "../finding.ts";
import type { Subject } from "../subject.ts";

const WITHIN_MS = 6_000;
/** Of the ephemeral ones (NIP-01): no relay keeps it. */
const PROBE_KIND = 20402;

export const relayRead: Check = {
  name: "relay-read",
  group: "relays",
  async look(subject): Promise<Finding[]> {
    const { relays } = await subject.listing();
    return relays.map(({ url, silent }) =>
      silent === undefined
        ? ok(`${url} answers`)
        : fail(`${url} does not answer: ${silent}`, anotherRelay(url, subject)),
    );
  },
};

/** Sends the listing as it stands, signed long ago; where there is none, an event that no relay keeps. */
export const relayWrite: Check = {
  name: "relay-write",
  group: "relays",
  async look(subject): Promise<Finding[]> {
    const { newest, relays: shown } = await subject.listing();
    const relays = await subject.relays();
    const event = newest?.event ?? probe(subject);
    const what =
      newest === undefined
        ? `an event that it does not keep (kind ${PROBE_KIND})`
        : "the listing as it stands";
    const asked = shown.filter(({ silent }) => silent === undefined).map(({ url }) => url);
    const answers = await relays.publish(event, { deadlineMs: WITHIN_MS, only: asked });
    return shown.map(({ url }) => {
      const answer = answers.find((one) => one.url === url);
      return answer === undefined
        ? unseen(`${url} does not answer: see relay-read`)
        : judge(answer, what, subject);
    });
  },
};

function judge(answer: RelayAnswer, what: string, subject: Subject): Finding {
  const { url } = answer;
  if (answer.kind === "acknowledged") return ok(`${url} takes ${what}`);
  if (answer.kind === "no-answer")
    return fail(`${url} says nothing to ${what}: ${answer.why}`, anotherRelay(url, subject));
  // It has a newer one, published meanwhile.
  if (/^replaced:/i.test(answer.said)) return ok(`${url} has a newer listing than ${what}`);
  return fail(`${url} refuses ${what}: "${answer.said}"`, anotherRelay(url, subject));
}

export function anotherRelay(url: string, { configPath }: Subject): string {
  return `name another one than ${url} in nostr.relays of ${configPath}, and restart the daemon`;
}

function probe({ config, clock }: Subject) {
  const { secretKey } = readIdentity(config.nostr.secretKeyHex);
  return finalizeEvent({ kind: PROBE_KIND, created_at: clock.now(), tags: [], content: "" }, secretKey);
}
