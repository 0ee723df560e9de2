import { setTimeout as sleep } from "node:timers/promises";
import { generateSecretKey } from "nostr-tools/pure";
import { type Answer, type Buyer, createBuyer } from "../buyer.ts";
import type { Payment } from "./payments.ts";
import { describeOutcome, type Outcome, outcomeOf, type Purchases } from "./purchases.ts";

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
  /** The daemon listens again: who was not heard asks at once. */
  heardAgain(): void;
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
const PAUSES_MS = { first: 120, longest: 1_000, unheard: 5_000 };
/** Whoever is told so often that every tunnel is taken goes elsewhere with his token. */
const FULL_ANSWERS = 15;

export function createCrowd(purchase: Purchases): Crowd {
  let givenUp = false;
  const underWay = new Set<Promise<void>>();
  const unheard = new Set<() => void>();

  function heardAgain(): void {
    for (const askAgain of [...unheard]) askAgain();
  }

  /** A daemon that is down costs nobody a request every moment; one that lives and broke a connection is asked again. */
  function untilHeardAgain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(askAgain, PAUSES_MS.unheard);
      function askAgain() {
        clearTimeout(timer);
        unheard.delete(askAgain);
        resolve();
      }
      unheard.add(askAgain);
    });
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
      const answers = await Promise.all(
        Array.from({ length: twice ? 2 : 1 }, () => purchase(person.buyer, payment)),
      );
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
          `one request sent twice was answered ${describeOutcome(outcomes[0])} and ${describeOutcome(outcomes[1])}`,
        );
      }
      if (pursuit.outcome !== undefined) break;
      if (answers[0] === undefined) {
        await untilHeardAgain();
        continue;
      }
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, PAUSES_MS.longest);
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
    heardAgain,
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
      const answer = await purchase(person.buyer, payment);
      note(answer);
      const outcome = outcomeOf(answer);
      if (outcome?.kind === "refused" || (outcome && outcome.address !== person.address)) {
        crowd.problems.push(`a repeated request was answered ${describeOutcome(outcome)}`);
      }
      return answer;
    },
    async giveUp() {
      givenUp = true;
      heardAgain();
      await Promise.all(underWay);
    },
  };
  return crowd;
}
