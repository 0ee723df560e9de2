import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault } from "../mint-faults.ts";

/** The faults that need no mint of ours: all of them can happen on the way to any. */
export type WayFault =
  | Extract<Fault, { kind: "stall" | "drop-before" | "drop-after" | "status" | "garbage" | "pending" }>
  /** The socket is destroyed, and the request comes to the mint all the same: just before it is sent once more. */
  | { kind: "late" };

/** The way from the daemon to a mint, on which things go wrong. The mint itself does what it is asked. */
export interface FaultyWay {
  /** The mint's URL as the operator has configured it. */
  readonly url: string;
  /** Asked about every request. */
  fault: ((path: string) => WayFault | undefined) | undefined;
  /** No more faults, and what is stalled goes on. */
  heal(): void;
  /** Resolves when nothing is on its way to the mint. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

interface MintAnswer {
  status: number;
  contentType: string;
  body: string;
}

const PENDING = JSON.stringify({ code: 11002, detail: "proofs are pending" });

export async function startFaultyWay(mintUrl: string): Promise<FaultyWay> {
  const stalled = new Set<() => void>();
  const underWay = new Set<Promise<void>>();
  /** By path and body. */
  const late = new Map<string, () => Promise<void>>();

  const server = createServer((request, response) => {
    // A request goes on to the mint also when its sender is dead by then.
    watch(handle(request, response).catch(() => void response.destroy()));
  });
  // Of one process and one address: a daemon that starts again meets what the former one's connections left.
  server.keepAliveTimeout = 1_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  function watch(handling: Promise<void>): void {
    underWay.add(handling);
    void handling.finally(() => underWay.delete(handling));
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const path = request.url ?? "/";
    const act = () => forward(mintUrl, request, path, body);
    const name = `${path} ${body}`;
    await late.get(name)?.();
    const fault = way.fault?.(path);
    if (!fault) return send(response, await act());
    const early = "acts" in fault && fault.acts ? await act() : undefined;
    switch (fault.kind) {
      case "drop-after":
        await act();
        return void response.destroy();
      case "drop-before":
        return void response.destroy();
      case "late":
        late.set(name, async () => {
          late.delete(name);
          await act();
        });
        return void response.destroy();
      case "stall":
        await stall(fault.forMs ?? 0);
        return send(response, early ?? (await act()));
      case "status":
        return send(response, { status: fault.status, contentType: "text/html", body: "<h1>no</h1>" });
      case "garbage":
        return send(response, { status: 200, contentType: "application/json", body: '{"unexpected":[1]}' });
      case "pending":
        return send(response, { status: 400, contentType: "application/json", body: PENDING });
    }
  }

  function stall(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(goOn, forMs);
      function goOn() {
        clearTimeout(timer);
        stalled.delete(goOn);
        resolve();
      }
      stalled.add(goOn);
    });
  }

  const way: FaultyWay = {
    url: `http://127.0.0.1:${port}`,
    fault: undefined,
    heal() {
      way.fault = undefined;
      for (const goOn of [...stalled]) goOn();
      // One that does not come through is lost, as any may be.
      for (const arrive of [...late.values()]) watch(arrive().catch(() => {}));
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async close() {
      way.heal();
      await way.idle();
      const closed = once(server.close(), "close");
      server.closeAllConnections();
      await closed;
    },
  };
  return way;
}

async function forward(
  mintUrl: string,
  request: IncomingMessage,
  path: string,
  body: string,
): Promise<MintAnswer> {
  const method = request.method ?? "GET";
  const response = await fetch(mintUrl.replace(/\/+$/, "") + path, {
    method,
    headers: { "content-type": "application/json" },
    ...(method === "POST" ? { body } : {}),
  });
  const contentType = response.headers.get("content-type") ?? "application/json";
  return { status: response.status, contentType, body: await response.text() };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, contentType, body }: MintAnswer): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}
