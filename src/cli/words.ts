export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** To the minute, for a person; programs have the seconds in `--json`. */
export function moment(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const SPANS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** In its two largest units: `3 d 4 h`, `12 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = SPANS.findIndex(([size]) => whole >= size);
  if (first === -1) return "0 s";
  let rest = whole;
  const parts = SPANS.slice(first, first + (first < 2 ? 2 : 1)).map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count} ${unit}`;
  });
  return parts.filter(Boolean).join(" ");
}

/** `12 min ago`; a clock that was set back meanwhile makes it `0 s ago`. */
export function ago(unixSeconds: number, now: number): string {
  return `${span(now - unixSeconds)} ago`;
}

const SIZES: readonly (readonly [bytes: number, unit: string])[] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
];

export function size(bytes: number): string {
  const [unitBytes, unit] = SIZES.find(([least]) => bytes >= least) ?? [1, "B"];
  return `${Number((bytes / unitBytes).toFixed(1))} ${unit}`;
}

/** `1 sale`, `2 sales`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
