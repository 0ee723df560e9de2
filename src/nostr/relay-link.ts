import { createRelayAuth, type RelayAuthOptions } from "./relay-auth.ts";
import { openRelayConnection, type RelayConnectionOptions } from "./relay-connection.ts";
import { createRelayPublishes, type RelayPublishes } from "./relay-publishes.ts";
import { createRelayQueries, type RelayQueries } from "./relay-queries.ts";

export interface RelayLink extends Pick<RelayPublishes, "publish">, Pick<RelayQueries, "query"> {
  readonly url: string;
  connected(): boolean;
  /** `true` as soon as connected, `false` after `timeoutMs` or when closed. */
  whenConnected(timeoutMs: number): Promise<boolean>;
  close(): void;
}

export interface RelayLinkOptions
  extends Pick<RelayConnectionOptions, "url" | "retryMs" | "onConnect" | "onLost">,
    Pick<RelayAuthOptions, "authenticate"> {}

/** NIP-01 and NIP-42 with one relay. */
export function openRelayLink({
  url,
  retryMs,
  authenticate,
  onConnect,
  onLost,
}: RelayLinkOptions): RelayLink {
  const connection = openRelayConnection({
    url,
    retryMs,
    onMessage,
    onConnect() {
      publishes.connected();
      onConnect();
    },
    onLost() {
      auth.connectionLost();
      publishes.connectionLost();
      queries.abandon("the connection was lost");
      onLost();
    },
  });
  const { send, whenConnected, connected } = connection;
  const auth = createRelayAuth({ url, authenticate, send, onAccepted: () => publishes.authAccepted() });
  const publishes = createRelayPublishes({ url, isConnected: connected, send, auth });
  const queries = createRelayQueries({ url, whenConnected, send, auth });

  function onMessage([type, id, third, fourth]: unknown[]): void {
    if (typeof id !== "string") return;
    if (type === "EVENT") queries.takeEvent(id, third);
    else if (type === "EOSE") queries.takeEnd(id);
    else if (type === "CLOSED") queries.takeClosed(id, third);
    else if (type === "AUTH") auth.takeChallenge(id);
    else if (type === "OK" && !auth.takeOk(id, third === true)) publishes.takeOk(id, third, fourth);
  }

  return {
    url,
    connected,
    whenConnected,
    publish: publishes.publish,
    query: queries.query,
    close() {
      connection.close();
      queries.abandon("closed");
      publishes.close();
    },
  };
}
