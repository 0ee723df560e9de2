import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../protocol/refusal.ts";
import type { LnurlDesk } from "../sales/lightning/lnurl-request.ts";
import type { ClientLimits } from "./client-limits.ts";

/** What a URL names twice comes as a list. */
type Query = { [name: string]: string | string[] | undefined };

interface OfInvoice {
  Params: { hash: string };
}

const HASH = /^[0-9a-f]{64}$/i;
const PREIMAGE_HEADER = /^Preimage +([0-9a-f]{64})$/i;

/** LNURL-pay (docs/spec.md, "Lightning"): LUD-06, LUD-12, LUD-21, and the way back to a .conf that was paid for. */
export function addLnurlpRoutes(
  app: FastifyInstance,
  desk: LnurlDesk | undefined,
  limits: ClientLimits,
): void {
  if (desk === undefined) {
    refuseAll(app);
    return;
  }
  const options = { onRequest: forbidCaching };

  app.get<{ Querystring: Query }>("/lnurlp", options, async ({ query }) => desk.payRequest(once(query, "p")));

  // A HEAD would make an invoice that nobody gets to see.
  app.get<{ Querystring: Query }>(
    "/lnurlp/callback",
    { ...options, exposeHeadRoute: false },
    async (request) =>
      desk.invoice({
        tier: once(request.query, "p"),
        amount: once(request.query, "amount"),
        comment: once(request.query, "comment"),
        client: limits.clientOf(request),
        countStranger: () => limits.countStranger(request),
      }),
  );

  app.get<OfInvoice>("/lnurlp/verify/:hash", options, async ({ params }) =>
    desk.verify(paymentHash(params.hash)),
  );

  app.get<OfInvoice>("/lnurlp/config/:hash", options, async ({ params, headers }) => {
    const hash = paymentHash(params.hash);
    const { config, expiresAt } = await desk.config(hash, readPreimage(headers.authorization));
    return { status: "ok", config, expires_at: expiresAt };
  });
}

/** A wallet that follows an old listing is told so. */
function refuseAll(app: FastifyInstance): void {
  const refuse = async () => {
    throw new Refusal(
      "lightning-not-configured",
      "This operator takes no Lightning payments; pay in ecash.",
      { retryAfterSeconds: 3600 },
    );
  };
  app.get("/lnurlp", refuse);
  app.get("/lnurlp/*", refuse);
}

/** Preimages and tunnels are in these answers, and prices that an invoice's hash must fit. */
async function forbidCaching(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header("cache-control", "no-store");
}

function once(query: Query, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value)) throw new Refusal("bad-request", `The URL names ${name} more than once.`);
  return value;
}

function paymentHash(text: string): string {
  if (!HASH.test(text)) {
    throw new Refusal("not-found", "There is no such invoice: its payment hash is 64 hex characters.");
  }
  return text.toLowerCase();
}

function readPreimage(header: string | undefined): string {
  const preimage = PREIMAGE_HEADER.exec(header ?? "")?.[1];
  if (preimage === undefined) {
    throw new Refusal("bad-request", "Send the payment's preimage: Authorization: Preimage <64 hex>.", {
      inAuthorization: true,
    });
  }
  return preimage.toLowerCase();
}
