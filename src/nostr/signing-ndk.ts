import NDK, { NDKCashuToken, NDKEvent } from "@nostr-dev-kit/ndk";
import type { NostrEvent } from "../protocol/event.ts";
import { OwnSigner } from "./own-signer.ts";

/**
 * NDK with a signer and without a single relay: for encoding and decoding only. It holds the secret key in the
 * clear, and prints it when inspected: it must not leave the codec that made it.
 */
export function createSigningNdk(secretKey: Uint8Array): NDK {
  return new NDK({
    signer: new OwnSigner(secretKey),
    enableOutboxModel: false,
    autoConnectUserRelays: false,
    explicitRelayUrls: [],
  });
}

export function toNdkEvent(ndk: NDK, event: NostrEvent): NDKEvent {
  const { id, pubkey, created_at, kind, tags, content, sig } = event;
  return new NDKEvent(ndk, { id, pubkey, created_at, kind, tags: tags.map((tag) => [...tag]), content, sig });
}

/** The plaintext of what was encrypted to oneself (NIP-44); throws when it was not, or not by this key. */
export async function decryptToSelf(ndk: NDK, event: NostrEvent): Promise<string> {
  const copy = toNdkEvent(ndk, event);
  await copy.decrypt(undefined, undefined, "nip44");
  return copy.content;
}

/** Signs `plaintext`, encrypted to oneself. */
export async function signEncryptedToSelf(
  ndk: NDK,
  { kind, createdAt, plaintext }: { kind: number; createdAt: number; plaintext: string },
): Promise<NostrEvent> {
  const event = new NDKEvent(ndk, { kind, created_at: createdAt, tags: [], content: plaintext, pubkey: "" });
  await event.encrypt(await ndk.signer?.user(), undefined, "nip44");
  await event.sign();
  return event.rawEvent() as NostrEvent;
}

/** NIP-60 kind 7375, encrypted and signed. Amounts must be numbers. */
export async function signCashuToken(
  ndk: NDK,
  {
    mintUrl,
    proofs,
    replaces,
    createdAt,
  }: { mintUrl: string; proofs: CashuProof[]; replaces: string[]; createdAt: number },
): Promise<NostrEvent> {
  const token = new NDKCashuToken(ndk);
  token.created_at = createdAt;
  token.mint = mintUrl;
  token.proofs = proofs;
  token.deletedTokens = replaces;
  await token.sign();
  return token.rawEvent() as NostrEvent;
}

/** A proof as NDK writes it: `dleq` and `witness` would be dropped. */
export interface CashuProof {
  id: string;
  amount: number;
  secret: string;
  C: string;
}
