import { verifyEvent } from "nostr-tools/pure";

/** NIP-01, unsigned: what an author hands to his signer. */
export interface EventTemplate {
  kind: number;
  created_at: number;
  tags: string[][];
  content: string;
}

/** A template that names its author: all that parsing looks at. */
export interface AuthoredEvent extends EventTemplate {
  pubkey: string;
}

/** NIP-01, signed. The type says nothing about whether the signature is right: see `isAuthentic`. */
export interface NostrEvent extends AuthoredEvent {
  id: string;
  sig: string;
}

type Tagged = Pick<EventTemplate, "tags">;

export function tagsNamed(event: Tagged, name: string): string[][] {
  return event.tags.filter((tag) => tag[0] === name);
}

export function firstTag(event: Tagged, name: string): string[] | undefined {
  return event.tags.find((tag) => tag[0] === name);
}

/** The first value of the first tag of that name; `undefined` when there is none or it is empty. */
export function firstValue(event: Tagged, name: string): string | undefined {
  return firstTag(event, name)?.[1] || undefined;
}

/** The first value of each tag of that name, empty ones left out. */
export function tagValues(event: Tagged, name: string): string[] {
  return tagsNamed(event, name).flatMap((tag) => tag[1] || []);
}

/** The shape of NIP-01 without id and signature; for events that came from a stranger as JSON. */
export function isAuthoredEvent(value: unknown): value is AuthoredEvent {
  if (typeof value !== "object" || value === null) return false;
  const event: { [K in keyof AuthoredEvent]?: unknown } = value;
  return (
    isSafeCount(event.kind) &&
    isSafeCount(event.created_at) &&
    typeof event.content === "string" &&
    isHex(event.pubkey, 64) &&
    Array.isArray(event.tags) &&
    event.tags.every((tag: unknown) => Array.isArray(tag) && tag.every((item) => typeof item === "string"))
  );
}

export function isNostrEvent(value: unknown): value is NostrEvent {
  if (!isAuthoredEvent(value)) return false;
  const { id, sig }: AuthoredEvent & { id?: unknown; sig?: unknown } = value;
  return isHex(id, 64) && isHex(sig, 128);
}

/**
 * Id and signature are right. Works on a copy: nostr-tools believes a verdict cached on the object it is given.
 */
export function isAuthentic(event: NostrEvent): boolean {
  const { id, pubkey, created_at, kind, tags, content, sig } = event;
  return verifyEvent({ id, pubkey, created_at, kind, tags, content, sig });
}

function isSafeCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value);
}
