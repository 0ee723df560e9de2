import { setTimeout as sleep } from "node:timers/promises";

/** What all who ask the daemon for something have in common: they wait while it is down, and give up together. */
export interface Askers {
  /** How many ask for something and do not know yet. */
  waiting(): number;
  haveGivenUp(): boolean;
  /** Counts as one who asks until it settles. */
  ask(asking: Promise<void>): Promise<void>;
  /** The daemon listens again: who was not heard asks at once. */
  heardAgain(): void;
  /** A daemon that is down costs nobody a request every moment; one that lives and broke a connection is asked again. */
  untilHeardAgain(): Promise<void>;
  /** Nobody asks any more; resolves when the last answer is in. */
  giveUp(): Promise<void>;
}

/** Between two requests of one buyer: longer each time that he is told to come again. */
const PAUSES_MS = { first: 120, longest: 1_000, unheard: 5_000 };

export function createAskers(): Askers {
  let givenUp = false;
  const underWay = new Set<Promise<void>>();
  const unheard = new Set<() => void>();

  function heardAgain(): void {
    for (const askAgain of [...unheard]) askAgain();
  }

  return {
    waiting: () => underWay.size,
    haveGivenUp: () => givenUp,
    ask(asking) {
      underWay.add(asking);
      return asking.finally(() => underWay.delete(asking));
    },
    heardAgain,
    untilHeardAgain() {
      return new Promise((resolve) => {
        const timer = setTimeout(askAgain, PAUSES_MS.unheard);
        function askAgain() {
          clearTimeout(timer);
          unheard.delete(askAgain);
          resolve();
        }
        unheard.add(askAgain);
      });
    },
    async giveUp() {
      givenUp = true;
      heardAgain();
      await Promise.all(underWay);
    },
  };
}

/**
 * Asks until `read` makes something of an answer. Undefined: all have given up. `ask` answers undefined when it was not
 * heard.
 */
export async function untilKnown<A, T>(
  askers: Askers,
  ask: () => Promise<A | undefined>,
  read: (answer: A) => T | undefined,
): Promise<T | undefined> {
  let pauseMs = PAUSES_MS.first;
  while (!askers.haveGivenUp()) {
    const answer = await ask();
    const known = answer === undefined ? undefined : read(answer);
    if (known !== undefined) return known;
    if (answer === undefined) {
      await askers.untilHeardAgain();
      continue;
    }
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, PAUSES_MS.longest);
  }
  return undefined;
}
