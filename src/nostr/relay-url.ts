/**
 * A relay's URL as its identity: scheme and host lower-cased, default port, fragment and trailing slashes
 * dropped. `undefined` for what is no ws(s) URL or carries credentials.
 */
export function normaliseRelayUrl(url: string): string | undefined {
  const text = url.trim();
  if (!/^wss?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const parsed = new URL(text);
  if (parsed.username !== "" || parsed.password !== "") return undefined;
  return `${parsed.protocol}//${parsed.host}${parsed.pathname.replace(/\/+$/, "")}${parsed.search}`;
}

/** Each relay once, in the order first named; throws for a URL that cannot be a relay's. */
export function distinctRelayUrls(urls: readonly string[]): string[] {
  const distinct = new Set<string>();
  for (const url of urls) {
    const normal = normaliseRelayUrl(url);
    if (normal === undefined)
      throw new Error(`not a relay's URL: ${JSON.stringify(url)} (wss://… or ws://…)`);
    distinct.add(normal);
  }
  return [...distinct];
}
