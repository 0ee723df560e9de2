import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Event } from "nostr-tools/core";
import { type Filter, matchFilters } from "nostr-tools/filter";
import { ClientAuth } from "nostr-tools/kinds";
import { verifyEvent } from "nostr-tools/pure";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { createRelayStore, type InsertResult } from "./relay-store.ts";

/** What becomes of an EVENT: kept, refused in these words, or left without an answer and not kept. */
export type RelayVerdict = "accept" | "hang" | { refuse: string };
export type RelayPolicy = (event: Event) => RelayVerdict;

export interface TestRelayOptions {
  /** 0 or left out: a free one, kept for every later `start()`. */
  port?: number;
  host?: string;
  /** The most events that one filter of a REQ is answered with. Default 500. */
  maxQueryResults?: number;
  /** NIP-42: nothing is taken or told before a valid AUTH. */
  requireAuth?: boolean;
}

export interface TestRelay {
  /** `ws://host:port`, the same through every stop and start. */
  readonly url: string;
  policy: RelayPolicy;
  /** While true, connections are accepted and nothing on them is answered. */
  mute: boolean;
  requireAuth: boolean;
  /** All that is stored, newest first. */
  events(): Event[];
  /** Loses these of them. */
  forget(matches: (event: Event) => boolean): void;
  /** Clients connected now. */
  connections(): number;
  /** Listens again on the same port with the same store. */
  start(): Promise<void>;
  /** Drops all connections; the store stays. */
  stop(): Promise<void>;
}

interface Connection {
  readonly challenge: string;
  readonly subscriptions: Map<string, Filter[]>;
  authenticated: boolean;
}

const OK_MESSAGES: Record<InsertResult, [accepted: boolean, message: string]> = {
  stored: [true, ""],
  ephemeral: [true, ""],
  duplicate: [true, "duplicate: already have this event"],
  replaced: [false, "replaced: have newer event"],
  deleted: [false, "deleted: its author asked for its deletion"],
};

/** NIP-42 allows a clock difference of about ten minutes. */
const AUTH_WINDOW_SECONDS = 600;

/** A Nostr relay over a real socket: NIP-01, NIP-09, and NIP-42 when asked for. */
export async function startRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const host = options.host ?? "127.0.0.1";
  const maxQueryResults = options.maxQueryResults ?? 500;
  const store = createRelayStore();
  const connections = new Map<WebSocket, Connection>();
  let port = options.port ?? 0;
  let server: Server | undefined;

  const send = (socket: WebSocket, message: unknown[]) => {
    if (socket.readyState === WebSocket.OPEN && !relay.mute) socket.send(JSON.stringify(message));
  };

  const broadcast = (event: Event) => {
    for (const [socket, { subscriptions }] of connections) {
      for (const [id, filters] of subscriptions) {
        if (matchFilters(filters, event)) send(socket, ["EVENT", id, event]);
      }
    }
  };

  const onEvent = (socket: WebSocket, connection: Connection, event: Event) => {
    const answer = (accepted: boolean, message: string) => send(socket, ["OK", event.id, accepted, message]);
    if (relay.requireAuth && !connection.authenticated) {
      return answer(false, "auth-required: only for known clients");
    }
    if (!isSigned(event)) return answer(false, "invalid: id or signature does not fit");
    const verdict = relay.policy(event);
    if (verdict === "hang") return;
    if (verdict !== "accept") return answer(false, verdict.refuse);
    const result = store.insert(event);
    answer(...OK_MESSAGES[result]);
    if (result === "stored" || result === "ephemeral") broadcast(event);
  };

  const onRequest = (socket: WebSocket, connection: Connection, id: string, filters: Filter[]) => {
    if (relay.requireAuth && !connection.authenticated) {
      return send(socket, ["CLOSED", id, "auth-required: only for known clients"]);
    }
    for (const event of store.query(filters, maxQueryResults)) send(socket, ["EVENT", id, event]);
    send(socket, ["EOSE", id]);
    connection.subscriptions.set(id, filters);
  };

  const onAuth = (socket: WebSocket, connection: Connection, event: Event) => {
    const valid = isSigned(event) && answersChallenge(event, connection.challenge, relay.url);
    if (valid) connection.authenticated = true;
    send(socket, ["OK", event.id, valid, valid ? "" : "invalid: not the answer to this challenge"]);
  };

  const onMessage = (socket: WebSocket, connection: Connection, data: RawData) => {
    if (relay.mute) return;
    const message = parseMessage(data);
    const [type, first, ...rest] = message;
    if (type === "EVENT" && isEventLike(first)) onEvent(socket, connection, first);
    else if (type === "AUTH" && isEventLike(first)) onAuth(socket, connection, first);
    else if (type === "REQ" && typeof first === "string" && rest.length > 0 && rest.every(isFilter)) {
      onRequest(socket, connection, first, rest);
    } else if (type === "CLOSE" && typeof first === "string") connection.subscriptions.delete(first);
    else send(socket, ["NOTICE", "invalid: not a message of NIP-01"]);
  };

  const relay: TestRelay = {
    get url() {
      return `ws://${host}:${port}`;
    },
    policy: () => "accept",
    mute: false,
    requireAuth: options.requireAuth ?? false,
    events: () => store.all(),
    forget: store.forget,
    connections: () => connections.size,

    async start() {
      if (server) return;
      const listening = createServer((_request, response) => response.writeHead(426).end());
      const sockets = new WebSocketServer({ server: listening });
      // ws repeats the server's errors, and `once` below throws them.
      sockets.on("error", () => {});
      sockets.on("connection", (socket) => {
        const connection: Connection = {
          challenge: randomBytes(16).toString("hex"),
          subscriptions: new Map(),
          authenticated: false,
        };
        connections.set(socket, connection);
        socket.on("message", (data) => onMessage(socket, connection, data));
        socket.on("close", () => connections.delete(socket));
        socket.on("error", () => socket.terminate());
        if (relay.requireAuth) send(socket, ["AUTH", connection.challenge]);
      });
      listening.listen(port, host);
      await once(listening, "listening");
      port = (listening.address() as AddressInfo).port;
      server = listening;
    },

    async stop() {
      if (!server) return;
      const closed = once(server, "close");
      server.close();
      server = undefined;
      for (const socket of connections.keys()) socket.terminate();
      connections.clear();
      await closed;
    },
  };

  await relay.start();
  return relay;
}

/** On a copy: nostr-tools marks what it has verified, and copies of a marked event pass unseen. */
function isSigned(event: Event): boolean {
  return verifyEvent({ ...event });
}

function answersChallenge(event: Event, challenge: string, relayUrl: string): boolean {
  const tag = (name: string) => event.tags.find(([tagName]) => tagName === name)?.[1] ?? "";
  return (
    event.kind === ClientAuth &&
    tag("challenge") === challenge &&
    URL.canParse(tag("relay")) &&
    new URL(tag("relay")).host === new URL(relayUrl).host &&
    Math.abs(event.created_at - Date.now() / 1000) < AUTH_WINDOW_SECONDS
  );
}

function parseMessage(data: RawData): unknown[] {
  try {
    const message: unknown = JSON.parse(data.toString());
    return Array.isArray(message) ? message : [];
  } catch {
    return [];
  }
}

function isEventLike(value: unknown): value is Event {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string";
}

function isFilter(value: unknown): value is Filter {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, wanted]) =>
    ["since", "until", "limit"].includes(name)
      ? typeof wanted === "number"
      : name === "search"
        ? typeof wanted === "string"
        : Array.isArray(wanted),
  );
}
