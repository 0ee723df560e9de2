import { setTimeout as sleep } from "node:timers/promises";
import { generateSecretKey } from "nostr-tools/pure";
import { type Answer, type Buyer, createBuyer, type Order } from "../buyer.ts";
import type { Operator } from "../operator.ts";
import type { Payment } from "./payments.ts";

/** Somebody with a Nostr key, who has, had or wants one tunnel. */
export interface Person {
  nostrKey: Uint8Array;
  /** With the WireGuard key that he uses now. */
  buyer: Buyer;
  /** What he was given a `.conf` for. */
  granted: Payment[];
  address: string | undefined;
  /** What he asks for at this moment. */
  asking: number;
  moves: number;
}

export type Outcome = { kind: "granted"; address: string } | { kind: "refused"; reason: string };

/** One person after the tunnel that one token pays for. He repeats his request until he knows. */
export interface Pursuit {
  person: Person;
  payment: Payment;
  isMove: boolean;
  outcome: Outcome | undefined;
  lastReason: string | undefined;
}

export interface Crowd {
  people: Person[];
  pursuits: Pursuit[];
  /** Answers that must not be. */
  problems: string[];
  /** Answers by status and reason. */
  answers: Map<string, number>;
  /** How many ask for something and do not know yet. */
  waiting(): number;
  newcomer(): Person;
  /** `twice`: each request is sent twice at once. Resolves with its outcome, or when all give up. */
  pursue(person: Person, payment: Payment, twice: boolean): Promise<void>;
  /** He has lost his WireGuard key and asks for his tunnel with another one. */
  move(person: Person): Promise<void>;
  /** One more request for something paid for; the answer must be as before. */
  repeat(person: Person): Promise<Answer | undefined>;
  /** Nobody asks any more; resolves when the last answer is in. */
  giveUp(): Promise<void>;
}

/** Between two requests of one buyer: longer each time that he is told to come again. */
const PAUSES_MS = { first: 120, longest: 1_000, unheard: 200 };
const SIGNED_FOR_MS = 200_000;
/** Whoever is told so often that every tunnel is taken goes elsewhere with his token. */
const FULL_ANSWERS = 15;
/** Said of the moment, not of the token. */
const ASK_AGAIN = new Set(["mint-unreachable", "tunnel-unavailable", "rate-limited", "internal"]);

export function createCrowd(operator: Operator): Crowd {
  let requests = 0;
  let givenUp = false;
  const underWay = new Set<Promise<void>>();

  /** A buyer repeats the very request: what he signed is good for minutes. */
  const signed = new Map<string, { authorization: string; untilMs: number }>();

  function signedOnce(buyer: Buyer, order: Order): string {
    const name = `${buyer.wireguard.publicKey} ${order.token}`;
    const known = signed.get(name);
    if (known && known.untilMs > Date.now()) return known.authorization;
    const authorization = buyer.authorization(order);
    signed.set(name, { authorization, untilMs: Date.now() + SIGNED_FOR_MS });
    return authorization;
  }

  function ask({ buyer }: Person, { plan, token }: Payment): Promise<Answer | undefined> {
    requests += 1;
    // A client address for each request: limits are not what is tried here.
    const address = `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`;
    const order: Order = {
      url: operator.url,
      publicHost: operator.publicHost,
      operatorPubkey: operator.pubkey,
      dTag: operator.dTag,
      price: { ...plan.tier, currency: "sat" },
      token,
      headers: { "x-forwarded-for": address },
    };
    return buyer.purchase({ ...order, authorization: signedOnce(buyer, order) }).catch(() => undefined);
  }

  function note(answer: Answer | undefined): void {
    const { reason = "conf", message = "" } = answer?.body ?? {};
    const name = answer === undefined ? "no answer" : `${answer.status} ${reason} ${message.slice(0, 45)}`;
    crowd.answers.set(name, (crowd.answers.get(name) ?? 0) + 1);
  }

  async function pursueUntilKnown(pursuit: Pursuit, twice: boolean): Promise<void> {
    const { person, payment } = pursuit;
    person.asking += 1;
    let fullAnswers = 0;
    let pauseMs = PAUSES_MS.first;
    while (!givenUp && pursuit.outcome === undefined) {
      const answers = await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => ask(person, payment)));
      for (const answer of answers) note(answer);
      const outcomes = answers.flatMap((answer) => outcomeOf(answer) ?? []);
      pursuit.lastReason = answers[0]?.body.reason;
      const isFull = outcomes.some(
        (outcome) => outcome.kind === "refused" && outcome.reason === "no-ip-available",
      );
      if (isFull && ++fullAnswers < FULL_ANSWERS) {
        await sleep(pauseMs);
        continue;
      }
      pursuit.outcome = outcomes[0];
      if (outcomes[1] && JSON.stringify(outcomes[0]) !== JSON.stringify(outcomes[1])) {
        crowd.problems.push(
          `one request sent twice was answered ${describe(outcomes[0])} and ${describe(outcomes[1])}`,
        );
      }
      if (pursuit.outcome !== undefined) break;
      await sleep(pauseMs);
      const wasHeard = answers[0] !== undefined;
      pauseMs = wasHeard ? Math.min(pauseMs * 1.5, PAUSES_MS.longest) : PAUSES_MS.unheard;
    }
    person.asking -= 1;
    if (pursuit.outcome?.kind === "granted") keepTunnel(pursuit, pursuit.outcome.address);
  }

  function keepTunnel({ person, payment, isMove }: Pursuit, address: string): void {
    if (person.address !== undefined && person.address !== address) {
      crowd.problems.push(`a tunnel's address changed from ${person.address} to ${address}`);
    }
    person.address = address;
    if (!isMove) person.granted.push(payment);
  }

  function begin(person: Person, payment: Payment, isMove: boolean, twice: boolean): Promise<void> {
    const pursuit: Pursuit = { person, payment, isMove, outcome: undefined, lastReason: undefined };
    crowd.pursuits.push(pursuit);
    const pursuing = pursueUntilKnown(pursuit, twice);
    underWay.add(pursuing);
    return pursuing.finally(() => underWay.delete(pursuing));
  }

  const crowd: Crowd = {
    people: [],
    pursuits: [],
    problems: [],
    answers: new Map(),
    waiting: () => underWay.size,
    newcomer() {
      const nostrKey = generateSecretKey();
      const person: Person = {
        nostrKey,
        buyer: createBuyer(nostrKey),
        granted: [],
        address: undefined,
        asking: 0,
        moves: 0,
      };
      crowd.people.push(person);
      return person;
    },
    pursue: (person, payment, twice) => begin(person, payment, false, twice),
    async move(person) {
      const [payment] = person.granted;
      if (payment === undefined) throw new Error("nobody moves a tunnel that he does not have");
      person.moves += 1;
      person.buyer = createBuyer(person.nostrKey);
      await begin(person, payment, true, false);
    },
    async repeat(person) {
      const payment = person.granted.at(-1);
      if (payment === undefined) throw new Error("nobody repeats what he has not bought");
      const answer = await ask(person, payment);
      note(answer);
      const outcome = outcomeOf(answer);
      if (outcome?.kind === "refused" || (outcome && outcome.address !== person.address)) {
        crowd.problems.push(`a repeated request was answered ${describe(outcome)}`);
      }
      return answer;
    },
    async giveUp() {
      givenUp = true;
      await Promise.all(underWay);
    },
  };
  return crowd;
}

/** Undefined when the buyer is to ask again. */
function outcomeOf(answer: Answer | undefined): Outcome | undefined {
  if (answer === undefined) return undefined;
  if (answer.status !== 200) {
    const reason = answer.body.reason ?? `HTTP ${answer.status}`;
    return ASK_AGAIN.has(reason) ? undefined : { kind: "refused", reason };
  }
  const address = /^Address = (\S+)\/32$/m.exec(answer.body.config ?? "")?.[1];
  if (address === undefined) throw new Error("a .conf came without an address");
  return { kind: "granted", address };
}

function describe(outcome: Outcome | undefined): string {
  return outcome?.kind === "refused" ? outcome.reason : "with a .conf";
}
