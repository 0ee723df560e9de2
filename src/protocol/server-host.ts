/** Same host, without regard to case; ports 80 and 443 are the same as none. */
export function isSameHost(a: string, b: string): boolean {
  const host = normaliseHost(a);
  return host !== undefined && host === normaliseHost(b);
}

/** `undefined` for what is no `host` or `host:port`. */
function normaliseHost(text: string): string | undefined {
  if (text === "" || /[\s\\/?#@]/.test(text)) return undefined;
  try {
    // The scheme makes 443 the default port, which URL then drops.
    return new URL(`https://${text}`).host.replace(/:80$/, "");
  } catch {
    return undefined;
  }
}
