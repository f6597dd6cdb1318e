/** Times and numbers as people read them. */

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
] as const;

/** A time span, such as `3 min`. */
function spanShown(seconds: number): string {
  const [size, unit] = UNITS.find(([one]) => seconds >= one) ?? [1, "s"];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

/** How long ago a time was, given in milliseconds since 1970. */
export function agoShown(at: number, now: number): string {
  return now - at < 1000 ? "now" : `${spanShown((now - at) / 1000)} ago`;
}

/** The same of a time on another clock, in microseconds. */
export function microsAgoShown(at: bigint, now: number): string {
  return agoShown(Number(at / 1000n), now);
}

/** A time of a few seconds. */
export function secondsShown(seconds: number): string {
  return seconds < 1 ? `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms` : `${seconds.toFixed(1)} s`;
}

/** A clock to the millisecond. */
export function clockShown(at: number): string {
  const time = new Date(at);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((one) => String(one).padStart(2, "0"));
  return `${parts.join(":")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** So many things. */
export function countShown(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The identifier behind the `#` of a URL; `null` if there is none, or one that no page has written there. */
export function identifierIn(hash: string): string | null {
  try {
    return hash === "" ? null : decodeURIComponent(hash.slice(1));
  } catch {
    return null;
  }
}
