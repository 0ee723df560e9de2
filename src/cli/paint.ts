/** Colours what is well, what wants a look, and what is wrong; or leaves it as it is. */
export interface Paint {
  good(text: string): string;
  odd(text: string): string;
  bad(text: string): string;
  bold(text: string): string;
}

export function createPaint(inColor: boolean): Paint {
  const sgr = (code: number) => (text: string) => (inColor ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: sgr(32), odd: sgr(33), bad: sgr(31), bold: sgr(1) };
}
