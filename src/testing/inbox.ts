import { unwrapEvent } from "nostr-tools/nip17";
import { npubEncode } from "nostr-tools/nip19";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { Relay, useWebSocketImplementation } from "nostr-tools/relay";
import { WebSocket } from "ws";
import { startRelay, type TestRelay } from "./relay.ts";

const GIFT_WRAP_KIND = 1059;
const INBOX_RELAYS_KIND = 10_050;

/** An operator's own account, and the relay where it wants its private messages (NIP-17, kind 10050). */
export interface Inbox {
  relay: TestRelay;
  npub: string;
  pubkey: string;
  /** Every message that came, as nostr-tools reads it, in the order of their time. */
  texts(): string[];
  /** What the daemon's config says to send notes here. */
  toml(heartbeatHours?: number): string;
  stop(): Promise<void>;
}

/** Its list of relays stands on the relay `knownAt`. */
export async function startInbox(knownAt: TestRelay, host?: string): Promise<Inbox> {
  const relay = await startRelay(host === undefined ? {} : { host });
  const secretKey = generateSecretKey();
  const pubkey = getPublicKey(secretKey);
  const npub = npubEncode(pubkey);
  const tags = [["relay", relay.url]];
  const createdAt = Math.floor(Date.now() / 1000);
  useWebSocketImplementation(WebSocket);
  const publishing = await Relay.connect(knownAt.url);
  await publishing.publish(
    finalizeEvent({ kind: INBOX_RELAYS_KIND, created_at: createdAt, tags, content: "" }, secretKey),
  );
  publishing.close();
  return {
    relay,
    npub,
    pubkey,
    texts: () =>
      relay
        .events()
        .filter(({ kind }) => kind === GIFT_WRAP_KIND)
        .map((wrap) => unwrapEvent(wrap, secretKey))
        .sort((a, b) => a.created_at - b.created_at)
        .map(({ content }) => content),
    toml: (heartbeatHours = 0) =>
      `[notifications]\nenabled = true\npubkey = "${npub}"\nheartbeat_hours = ${heartbeatHours}\n`,
    stop: () => relay.stop(),
  };
}
