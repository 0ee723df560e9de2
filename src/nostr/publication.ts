import type { Logger } from "pino";
import type { NostrEvent } from "../protocol/event.ts";
import { describeAnswer, type RelayAnswer } from "./relay-answer.ts";
import type { Relays } from "./relays.ts";

/** `retired`: the event is the request to delete the listing. */
export type PublicationStatus = "active" | "sold" | "retired";

/** One signed event on its way to every relay. */
export interface Publication {
  event: NostrEvent;
  status: PublicationStatus;
  /** Content and tags: what a reader would see change. */
  face: string;
  signedAtMs: number;
  changedAtMs: number;
  /** By relay, the last one; an acknowledgement stays. */
  answers: Map<string, RelayAnswer>;
  /** When those that lack it are tried next, and the pause after that. */
  retryAtMs: number;
  pauseMs: number;
}

interface OfferingParts {
  relays: Pick<Relays, "urls" | "publish">;
  deadlineMs: number;
  longestPauseMs: number;
  /** Answers are of interest no more. */
  isStopped: () => boolean;
  /** More relays have it than before. */
  onTaken(publication: Publication): void;
  /** A newer event of ours stands there. */
  onReplaced(): void;
  logger: Logger;
}

export const acknowledged = ({ answers }: Publication): number =>
  [...answers.values()].filter(({ kind }) => kind === "acknowledged").length;

/** Takes publications to the relays, and writes down what each said. */
export function createOffering(parts: OfferingParts) {
  const { relays, deadlineMs, longestPauseMs, isStopped, onTaken, onReplaced, logger } = parts;

  /** The relays that may still take it. */
  function lacking({ answers }: Publication): string[] {
    return relays.urls.filter((url) => {
      const answer = answers.get(url);
      return answer?.kind !== "acknowledged" && !(answer?.kind === "refused" && answer.permanent);
    });
  }

  /** Nobody waits for a late answer, so nobody would catch it: a book that cannot be written must end nothing. */
  function takeLate(publication: Publication, answer: RelayAnswer): void {
    try {
      take(publication, [answer]);
    } catch {
      logger.warn(
        { event: "late-answer-lost", relay: answer.url },
        "a late answer could not be written down",
      );
    }
  }

  function take(publication: Publication, answers: readonly RelayAnswer[]): void {
    const { status } = publication;
    const before = acknowledged(publication);
    for (const answer of answers) {
      if (publication.answers.get(answer.url)?.kind !== "acknowledged") {
        publication.answers.set(answer.url, answer);
      }
      if (answer.kind === "refused" && /^replaced:/i.test(answer.said)) onReplaced();
    }
    const others = answers
      .filter(({ kind }) => kind !== "acknowledged")
      .map((answer) => ({ relay: answer.url, said: describeAnswer(answer) }));
    const counts = { acknowledged: acknowledged(publication), total: relays.urls.length, others };
    if (counts.acknowledged === 0) logger.warn({ event: "listing-publish-failed", status, ...counts });
    if (counts.acknowledged > before) {
      const event = status === "retired" ? "listing-retired" : "listing-published";
      logger.info({ event, status, ...counts });
      onTaken(publication);
    }
  }

  return {
    lacking,
    async offer(publication: Publication): Promise<void> {
      const answers = await relays.publish(publication.event, {
        deadlineMs,
        only: lacking(publication),
        onLate: (answer) => takeLate(publication, answer),
      });
      if (isStopped()) return;
      take(publication, answers);
      publication.retryAtMs = performance.now() + publication.pauseMs;
      publication.pauseMs = Math.min(publication.pauseMs * 2, longestPauseMs);
    },
  };
}
