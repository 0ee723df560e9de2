/** First byte of a macaroon in its binary form, version 2. */
const BINARY_V2 = 0x02;

/** What lnd's macaroon file holds, or one into which it was written in hex: several lines, as `xxd -ps` prints it. */
export function macaroonHex(bytes: Buffer): string {
  return bytes[0] === BINARY_V2 ? bytes.toString("hex") : bytes.toString("utf8").replaceAll(/\s/g, "");
}

export function isHex(text: string): boolean {
  return /^([0-9a-f]{2})+$/i.test(text);
}
