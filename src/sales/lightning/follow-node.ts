import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Cursor, type LightningNode, NodeError, type Payment } from "./ports.ts";

export interface FollowTimes {
  /** Between a broken stream and the next; doubled up to the longest. */
  streamPauseMs: number;
  longestStreamPauseMs: number;
}

interface FollowParts {
  node: Pick<LightningNode, "follow">;
  /** Where the book is. */
  cursor: () => Cursor | undefined;
  /** What it throws ends the stream, and the next one tells again. */
  report: (payment: Payment, cursor: Cursor) => void;
  nowMs: () => number;
  logger: Logger;
  times: FollowTimes;
}

/** Follows a node's payments from stream to stream until `signal` aborts. Never rejects. */
export async function followNode(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const { node, cursor, report, nowMs, logger, times } = parts;
  let pauseMs: number | undefined;
  while (!signal.aborted) {
    const startedMs = nowMs();
    try {
      await node.follow(cursor(), report, signal);
    } catch (error) {
      if (!signal.aborted) tell(error, logger);
    }
    pauseMs = pauseAfter(pauseMs, nowMs() - startedMs, times);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** After a stream that lasted for `lastedMs`; `formerMs` is the pause before it. */
export function pauseAfter(formerMs: number | undefined, lastedMs: number, times: FollowTimes): number {
  const { streamPauseMs, longestStreamPauseMs } = times;
  if (formerMs === undefined || lastedMs > longestStreamPauseMs) return streamPauseMs;
  return Math.min(formerMs * 2, longestStreamPauseMs);
}

/** A stream that breaks is nothing new. A book that cannot be written is: the operator has to mend it. */
function tell(error: unknown, logger: Logger): void {
  const level = error instanceof NodeError ? "debug" : "error";
  const name = error instanceof Error ? error.name : typeof error;
  logger[level]({ event: "node-stream-ended", error: name }, "the node is followed anew soon");
}
