import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Refusal } from "../protocol/refusal.ts";
import type { PurchaseAnswer, PurchaseRequest } from "../sales/purchase-request.ts";
import type { ClientLimits } from "./client-limits.ts";

/** Only what HTTP itself needs: protocol and client_pubkey have reason codes of their own, given by sales. */
const bodySchema = z.object(
  {
    protocol: z.unknown().optional(),
    client_pubkey: z.unknown().optional(),
    token: z.string({ error: "token must be a string: a Cashu token, cashuA… or cashuB…." }).optional(),
  },
  { error: 'The body must be a JSON object: {"protocol":"wireguard","client_pubkey":"…"}.' },
);

/** POST /purchase (docs/spec.md). */
export function addPurchaseRoute(
  app: FastifyInstance,
  purchase: (request: PurchaseRequest) => Promise<PurchaseAnswer>,
  limits: ClientLimits,
): void {
  app.post("/purchase", async (request) => {
    const body = bodySchema.safeParse(request.body ?? {});
    if (!body.success) {
      throw new Refusal("bad-request", body.error.issues[0]?.message ?? "The body cannot be read.");
    }
    const { config, expiresAt } = await purchase({
      authorization: request.headers.authorization,
      token: oneToken(request.headers["x-cashu"], body.data.token),
      protocol: body.data.protocol,
      clientPubkey: body.data.client_pubkey,
      countStranger: () => limits.countStranger(request),
    });
    return { status: "ok", config, expires_at: expiresAt };
  });
}

/** The header and the body may both carry the token, but then the same one: only one of two could be taken. */
function oneToken(header: string | string[] | undefined, inBody: string | undefined): string | undefined {
  const fromHeader = (Array.isArray(header) ? header.join(", ") : header)?.trim() || undefined;
  const fromBody = inBody?.trim() || undefined;
  if (fromHeader !== undefined && fromBody !== undefined && fromHeader !== fromBody) {
    throw new Refusal("bad-request", "The X-Cashu header and token in the body differ: send one of the two.");
  }
  return fromHeader ?? fromBody;
}
