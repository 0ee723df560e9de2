import type { Logger } from "pino";
import { Refusal } from "../protocol/refusal.ts";

/** Says of every refused request why, and never whose. What a client sends too often does not fill the log. */
export function logRefusals<Request, Answer>(
  method: "cashu" | "lightning",
  purchase: (request: Request) => Promise<Answer>,
  logger: Logger,
): (request: Request) => Promise<Answer> {
  return async (request) => {
    try {
      return await purchase(request);
    } catch (error) {
      if (error instanceof Refusal) {
        const { reason } = error;
        const level = reason === "rate-limited" ? "debug" : "info";
        logger[level]({ event: "purchase-refused", method, reason }, "a purchase was refused");
      }
      throw error;
    }
  };
}
