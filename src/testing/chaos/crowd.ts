import { type Answer, createBuyer } from "../buyer.ts";
import type { OwnedNode } from "../lightning/owned-node.ts";
import { createAskers, untilKnown } from "./askers.ts";
import type { LightningRequests } from "./lightning-requests.ts";
import { createPayers, type Payers } from "./payers.ts";
import type { Payment } from "./payments.ts";
import { createPerson, keepAddress, type Person } from "./people.ts";
import { describeOutcome, type Outcome, outcomeOf, type Purchases } from "./purchases.ts";

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
  /** Those who pay over Lightning. */
  payers: Payers;
  /** Answers that must not be. */
  problems: string[];
  /** Answers by status and reason. */
  answers: Map<string, number>;
  /** How many ask for something and do not know yet. */
  waiting(): number;
  /** The daemon listens again: who was not heard asks at once. */
  heardAgain(): void;
  /** No daemon lives: some pay just then. */
  daemonDied(): void;
  newcomer(): Person;
  /** `twice`: each request is sent twice at once. Resolves with its outcome, or when all give up. */
  pursue(person: Person, payment: Payment, twice: boolean): Promise<void>;
  /** He has lost his WireGuard key and asks for his tunnel with another one. */
  move(person: Person): Promise<void>;
  /** One more request for what was paid for last with a token, or else over Lightning; the answer must be as before. */
  repeat(person: Person): Promise<Answer | undefined>;
  /** Nobody asks any more; resolves when the last answer is in. */
  giveUp(): Promise<void>;
}

interface CrowdParts {
  purchase: Purchases;
  requests: LightningRequests;
  node: OwnedNode;
  invoiceSeconds: number;
}

/** Whoever is told so often that every tunnel is taken goes elsewhere with his token. */
const FULL_ANSWERS = 6;

export function createCrowd({ purchase, requests, node, invoiceSeconds }: CrowdParts): Crowd {
  const askers = createAskers();
  const problems: string[] = [];
  const answers = new Map<string, number>();
  const wrong = (what: string) => void problems.push(what);

  function note(name: string): void {
    answers.set(name, (answers.get(name) ?? 0) + 1);
  }

  function noteAnswer(answer: Answer | undefined): void {
    const { reason = "conf", message = "" } = answer?.body ?? {};
    note(answer === undefined ? "no answer" : `${answer.status} ${reason} ${message.slice(0, 45)}`);
  }

  async function pursueUntilKnown(pursuit: Pursuit, twice: boolean): Promise<void> {
    const { person, payment } = pursuit;
    person.asking += 1;
    let fullAnswers = 0;
    pursuit.outcome = await untilKnown(
      askers,
      async () => {
        const answers = await Promise.all(
          Array.from({ length: twice ? 2 : 1 }, () => purchase(person.buyer, payment)),
        );
        for (const answer of answers) noteAnswer(answer);
        pursuit.lastReason = answers[0]?.body.reason;
        return answers.some((answer) => answer !== undefined) ? answers : undefined;
      },
      (answers) => {
        const outcomes = answers.flatMap((answer) => outcomeOf(answer) ?? []);
        const isFull = outcomes.some(
          (outcome) => outcome.kind === "refused" && outcome.reason === "no-ip-available",
        );
        if (isFull && ++fullAnswers < FULL_ANSWERS) return undefined;
        const [first, second] = outcomes;
        if (second && JSON.stringify(first) !== JSON.stringify(second)) {
          wrong(
            `one request sent twice was answered ${describeOutcome(first)} and ${describeOutcome(second)}`,
          );
        }
        return first;
      },
    );
    person.asking -= 1;
    if (pursuit.outcome?.kind === "granted") keepTunnel(pursuit, pursuit.outcome.address);
  }

  function keepTunnel({ person, payment, isMove }: Pursuit, address: string): void {
    const changed = keepAddress(person, address);
    if (changed !== undefined) wrong(changed);
    if (!isMove) person.granted.push(payment);
  }

  function begin(person: Person, payment: Payment, isMove: boolean, twice: boolean): Promise<void> {
    const pursuit: Pursuit = { person, payment, isMove, outcome: undefined, lastReason: undefined };
    crowd.pursuits.push(pursuit);
    return askers.ask(pursueUntilKnown(pursuit, twice));
  }

  async function repeatToken(person: Person, payment: Payment): Promise<Answer | undefined> {
    const answer = await purchase(person.buyer, payment);
    noteAnswer(answer);
    return answer;
  }

  const payers = createPayers({ askers, requests, node, invoiceSeconds, note, wrong });
  const crowd: Crowd = {
    people: [],
    pursuits: [],
    payers,
    problems,
    answers,
    waiting: askers.waiting,
    heardAgain: askers.heardAgain,
    daemonDied: payers.daemonDied,
    newcomer() {
      const person = createPerson();
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
      const bill = person.bills.find(({ isClaimed }) => isClaimed);
      if (!payment && !bill) throw new Error("nobody repeats what he has not bought");
      const answer = payment ? await repeatToken(person, payment) : bill && (await payers.claim(bill));
      const outcome = outcomeOf(answer);
      if (outcome?.kind === "refused" || (outcome && outcome.address !== person.address)) {
        wrong(`a repeated request was answered ${describeOutcome(outcome)}`);
      }
      return answer;
    },
    giveUp: askers.giveUp,
  };
  return crowd;
}
