/** Times as the text of ISO 8601, to the microsecond; they are microseconds since 1970 in UTC. */

const DATE = /^(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d)|-W(\d\d)(?:-(\d))?|W(\d\d)(\d)?)/;
const TIME = /^(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?/;
const ZONE = /^(?:(Z)|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?)$/;
const MILLIS_OF_DAY = 86_400_000;
const MICROS_OF_SECOND = 1_000_000n;
const FIRST = -62_135_596_800_000_000n;
const LAST = 253_402_300_799_999_999n;

/** Write a time, in UTC. */
export function isoOfMicros(micros: bigint): string {
  const rest = Number(((micros % MICROS_OF_SECOND) + MICROS_OF_SECOND) % MICROS_OF_SECOND);
  const text = new Date(Number((micros - BigInt(rest)) / 1000n)).toISOString().slice(0, 19);
  return rest === 0 ? `${text}+00:00` : `${text}.${String(rest).padStart(6, "0")}+00:00`;
}

/** Read a time; one without a zone is local. `undefined` if it is none between the years 1 and 9999. */
export function microsOfIso(text: string): bigint | undefined {
  const date = DATE.exec(text);
  const day = date === null ? undefined : dayOf(date);
  if (date === null || day === undefined) {
    return undefined;
  }
  const behind = text.slice(date[0].length);
  let millis = 0;
  let micros = 0n;
  let zone = "";
  if (behind !== "") {
    // Any character may stand between the day and the time.
    const start = (behind.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
    const clock = TIME.exec(behind.slice(start));
    if (clock === null) {
      return undefined;
    }
    const [whole, hour, minute = "0", second = "0", fraction = ""] = clock;
    if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
      return undefined;
    }
    millis = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
    micros = BigInt(fraction.slice(0, 6).padEnd(6, "0"));
    zone = behind.slice(start + whole.length);
  }
  const offset = zone === "" ? localOffset(day * MILLIS_OF_DAY + millis) : offsetOf(zone);
  if (offset === undefined) {
    return undefined;
  }
  const found = BigInt(day * MILLIS_OF_DAY + millis) * 1000n + micros - offset;
  return found < FIRST || found > LAST ? undefined : found;
}

/** The days since 1970. */
function dayOf(date: RegExpExecArray): number | undefined {
  const year = Number(date[1]);
  const week = date[6] ?? date[8];
  if (week !== undefined) {
    return dayOfWeek(year, Number(week), Number(date[7] ?? date[9] ?? "1"));
  }
  const month = Number(date[2] ?? date[4]);
  const dayOfMonth = Number(date[3] ?? date[5]);
  const moment = utc(year, month - 1, dayOfMonth);
  const isOne = moment.getUTCMonth() === month - 1 && moment.getUTCDate() === dayOfMonth && year > 0;
  return isOne ? moment.getTime() / MILLIS_OF_DAY : undefined;
}

/** The day of a week of a year: the first week is the one with the fourth of January. */
function dayOfWeek(year: number, week: number, weekday: number): number | undefined {
  const fourth = utc(year, 0, 4);
  const monday = fourth.getTime() / MILLIS_OF_DAY - ((fourth.getUTCDay() + 6) % 7);
  const next = utc(year + 1, 0, 4);
  const nextMonday = next.getTime() / MILLIS_OF_DAY - ((next.getUTCDay() + 6) % 7);
  const day = monday + (week - 1) * 7 + weekday - 1;
  return week >= 1 && weekday >= 1 && weekday <= 7 && year > 0 && day < nextMonday ? day : undefined;
}

/** A day at midnight; years below 100 are themselves. */
function utc(year: number, month: number, day: number): Date {
  const moment = new Date(0);
  moment.setUTCFullYear(year, month, day);
  return moment;
}

/** By how much a zone is ahead, in microseconds. */
function offsetOf(zone: string): bigint | undefined {
  const found = ZONE.exec(zone);
  if (found === null) {
    return undefined;
  }
  const [, isUtc, sign, hour = "0", minute = "0", second = "0", fraction = ""] = found;
  if (isUtc !== undefined) {
    return 0n;
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    return undefined;
  }
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return sign === "-" ? -micros : micros;
}

/** By how much the local time is ahead, in microseconds, when it is so many milliseconds since 1970. */
function localOffset(millis: number): bigint {
  const parts = new Date(millis);
  const local = new Date(0);
  local.setFullYear(parts.getUTCFullYear(), parts.getUTCMonth(), parts.getUTCDate());
  local.setHours(parts.getUTCHours(), parts.getUTCMinutes(), parts.getUTCSeconds(), parts.getUTCMilliseconds());
  return BigInt(millis - local.getTime()) * 1000n;
}
