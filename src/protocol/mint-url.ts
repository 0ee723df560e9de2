const MAX_LENGTH = 2048;

/**
 * A mint's URL as its identity: scheme and host lower-cased, default port and trailing slashes dropped, path
 * kept. `undefined` for what is no http(s) URL or carries credentials, a query or a fragment.
 */
export function normaliseMintUrl(url: string): string | undefined {
  // The URL parser drops tabs and line breaks and turns backslashes: two spellings a reader would tell apart.
  if (url.length > MAX_LENGTH || !/^https?:\/\/[^\s\\?#]+$/i.test(url)) return undefined;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return undefined;
  }
  if (parsed.username !== "" || parsed.password !== "") return undefined;
  return parsed.origin + withoutTrailingSlashes(parsed.pathname);
}

function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
