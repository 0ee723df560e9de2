import { randomBytes } from "node:crypto";
import { NDKPrivateKeySigner, type NDKUser, type NostrEvent } from "@nostr-dev-kit/ndk";
import { decrypt, encrypt, getConversationKey } from "nostr-tools/nip44";
import { getEventHash } from "nostr-tools/pure";
import { signSchnorr } from "tiny-secp256k1";

/**
 * NDK's signer for one who writes to nobody but himself: the one key of NIP-44 is worked out once, and signatures are
 * libsecp256k1's (docs/adr/0009).
 */
export class OwnSigner extends NDKPrivateKeySigner {
  readonly #secretKey: Uint8Array;
  readonly #conversationKey: Uint8Array;

  constructor(secretKey: Uint8Array) {
    super(secretKey);
    this.#secretKey = secretKey;
    this.#conversationKey = getConversationKey(secretKey, this.pubkey);
  }

  override async sign(event: NostrEvent): Promise<string> {
    const id = getEventHash({ ...event, kind: event.kind ?? 0 });
    return Buffer.from(signSchnorr(Buffer.from(id, "hex"), this.#secretKey, randomBytes(32))).toString("hex");
  }

  override async encrypt(recipient: NDKUser, plaintext: string): Promise<string> {
    return encrypt(plaintext, this.#keyWith(recipient));
  }

  override async decrypt(sender: NDKUser, ciphertext: string): Promise<string> {
    return decrypt(ciphertext, this.#keyWith(sender));
  }

  #keyWith({ pubkey }: NDKUser): Uint8Array {
    if (pubkey !== this.pubkey) throw new Error("only what is one's own is encrypted here");
    return this.#conversationKey;
  }
}
