import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface ScriptedRequest {
  method: string;
  /** With its query. */
  path: string;
  macaroon: string | undefined;
  body: string;
}

/** JSON and its status, 200 unless said. Undefined: the script has answered by itself, or never will. */
export type ScriptedAnswer = { status?: number; json: unknown } | undefined;

export interface ScriptedLnd {
  url: string;
  requests: ScriptedRequest[];
  close(): Promise<void>;
}

/** Answers over plain HTTP, as LND does with `no-rest-tls`, whatever the test says. */
export async function startScriptedLnd(
  script: (request: ScriptedRequest, response: ServerResponse) => ScriptedAnswer,
): Promise<ScriptedLnd> {
  const requests: ScriptedRequest[] = [];
  const server = createServer(async (request, response) => {
    const macaroon = request.headers["grpc-metadata-macaroon"];
    const asked = {
      method: request.method ?? "",
      path: request.url ?? "",
      macaroon: Array.isArray(macaroon) ? macaroon[0] : macaroon,
      body: await text(request),
    };
    requests.push(asked);
    const answer = script(asked, response);
    if (answer) response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.json));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
