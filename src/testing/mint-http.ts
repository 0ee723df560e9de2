import type { IncomingMessage, ServerResponse } from "node:http";
import { MINT_ERROR_CODES } from "./mint-error.ts";
import type { Fault } from "./mint-faults.ts";
import { type MintAnswer, refusal } from "./mint-routes.ts";

export interface MintRequestHandling {
  carryOut(method: string, path: string, rawBody: string): MintAnswer;
  takeFault(method: string, path: string): Fault | undefined;
  spoil(answer: MintAnswer, rawBody: string, fault: Fault & { kind: "flawed" }): MintAnswer;
  /** Whether the mint still serves this connection when the waiting is over. */
  stall(forMs: number | undefined): Promise<boolean>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** Reads one request, carries it out, answers; a fault changes which of these happen. */
export async function handleMintRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { carryOut, takeFault, spoil, stall }: MintRequestHandling,
) {
  const method = request.method ?? "GET";
  const path = (request.url ?? "/").replace(/\?.*/, "");
  const rawBody = await readBody(request);
  if (rawBody === undefined) return response.writeHead(413).end();
  const act = () => carryOut(method, path, rawBody);
  const fault = takeFault(method, path);
  if (!fault) return sendJson(response, act());
  const early = "acts" in fault && fault.acts ? act() : undefined;
  switch (fault.kind) {
    case "stall":
      return (await stall(fault.forMs)) ? sendJson(response, early ?? act()) : undefined;
    case "drop-after":
      act();
      return request.socket.destroy();
    case "drop-before":
      return request.socket.destroy();
    case "status":
      return response
        .writeHead(fault.status, { "content-type": "text/html", ...fault.headers })
        .end(fault.body ?? `<html><body><h1>${fault.status}</h1></body></html>`);
    case "garbage":
      return response
        .writeHead(200, { "content-type": "application/json" })
        .end(fault.body ?? '{"unexpected":[1,2,3]}');
    case "refuse":
      return sendJson(response, refusal(fault.code, fault.detail ?? "refused"));
    case "pending":
      return sendJson(response, refusal(MINT_ERROR_CODES.pending, "proofs are pending"));
    case "redirect":
      return response.writeHead(fault.status ?? 307, { location: fault.location }).end();
    case "flawed":
      return sendJson(response, spoil(act(), rawBody, fault));
  }
}

/** The body as text; undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response: ServerResponse, { status, body }: MintAnswer) {
  return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
