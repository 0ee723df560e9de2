import { randomBytes, scrypt } from "node:crypto";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { base64nopad } from "@scure/base";
import { Decrypter, Encrypter, type Recipient, Stanza } from "age-encryption";
import { BackupError } from "./backup-error.ts";

/** To whom a backup opens: a public key (`age1…`), or whoever knows the passphrase. */
export type Seal = { recipient: string } | { passphrase: string };
/** What opens it: private keys (`AGE-SECRET-KEY-1…`), or the passphrase. */
export type Opener = { identities: readonly string[] } | { passphrase: string };

const INTRO = "age-encryption.org/v1";
/** age's own default: about a second, and 256 MiB, for each guess. */
const SCRYPT_LOG_N = 18;

export function isRecipient(text: string): boolean {
  return accepts(() => new Encrypter().addRecipient(text));
}

export function isIdentity(text: string): boolean {
  return accepts(() => new Decrypter().addIdentity(text));
}

function accepts(add: () => void): boolean {
  try {
    add();
    return true;
  } catch {
    return false;
  }
}

/** Encrypts in age's format, piece by piece. */
export async function seal(plain: Readable, to: Seal): Promise<Readable> {
  const encrypter = new Encrypter();
  encrypter.addRecipient("recipient" in to ? to.recipient : passphraseRecipient(to.passphrase));
  return fromWeb(await encrypter.encrypt(toWeb(plain)));
}

/** Throws `BackupError`; so does what it answers with, when it is read to where the file is cut short or changed. */
export async function open(cipher: Readable, by: Opener): Promise<Readable> {
  const decrypter = new Decrypter();
  if ("passphrase" in by) decrypter.addPassphrase(by.passphrase);
  else for (const identity of by.identities) decrypter.addIdentity(identity);
  try {
    return fromWeb(await decrypter.decrypt(toWeb(cipher)));
  } catch (cause) {
    cipher.destroy();
    throw new BackupError(
      "passphrase" in by
        ? "the passphrase does not open this backup, or the file was changed"
        : "no key of the identity file opens this backup, or the file was changed",
      { cause },
    );
  }
}

/** By what a file wants to be opened, from how it begins; undefined for a file that is not in age's format. */
export function openedBy(beginning: Buffer): "passphrase" | "identity" | undefined {
  const [intro, stanza = ""] = beginning.toString("latin1").split("\n", 2);
  if (intro !== INTRO || !stanza.startsWith("-> ")) return undefined;
  return stanza.startsWith("-> scrypt ") ? "passphrase" : "identity";
}

/**
 * age's scrypt recipient, as the library has it too, but worked out beside the event loop: a daemon that makes its own
 * backup goes on selling.
 */
function passphraseRecipient(passphrase: string): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const key = await scryptKey(passphrase, Buffer.concat([Buffer.from(`${INTRO}/scrypt`), salt]));
      const sealed = chacha20poly1305(key, new Uint8Array(12)).encrypt(fileKey);
      return [new Stanza(["scrypt", base64nopad.encode(salt), String(SCRYPT_LOG_N)], sealed)];
    },
  };
}

function scryptKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  const cost = { N: 2 ** SCRYPT_LOG_N, r: 8, p: 1, maxmem: 2 ** (SCRYPT_LOG_N + 11) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function toWeb(stream: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as globalThis.ReadableStream<Uint8Array>;
}

function fromWeb(stream: globalThis.ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream as ReadableStream<Uint8Array>);
}
