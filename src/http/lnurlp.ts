import type { FastifyInstance } from "fastify";
import { Refusal } from "../protocol/refusal.ts";

/** Lightning is not sold by this version; a wallet that follows an old listing is told so. */
export function addLnurlpRoutes(app: FastifyInstance): void {
  const refuse = async () => {
    throw new Refusal(
      "lightning-not-configured",
      "This operator takes no Lightning payments; pay in ecash.",
      {
        retryAfterSeconds: 3600,
      },
    );
  };
  app.get("/lnurlp", refuse);
  app.get("/lnurlp/*", refuse);
}
