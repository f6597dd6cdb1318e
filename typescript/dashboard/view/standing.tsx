/** How an orbiter is, in words and as a mark whose shape says it as well as its colour. */

import type { JSX } from "preact";

import { agoShown } from "../model/format.js";
import type { Member } from "../model/member.js";

/** What people have to look at, or need not. */
export type Health = "good" | "lacking" | "suspected" | "dead" | "silent" | "unknown";

/** How an orbiter is. */
export function healthOf(member: Member): Health {
  if (member.standing !== "present") {
    return member.standing;
  }
  if (member.role === "core") {
    return member.lacks === null ? "unknown" : member.lacks.length > 0 ? "lacking" : "good";
  }
  return member.info === null ? "unknown" : "good";
}

/** The same in words. */
export function healthShown(member: Member, now: number): string {
  switch (healthOf(member)) {
    case "good":
      return member.role === "core" ? "compliant" : "present";
    case "lacking":
      return "not compliant";
    case "suspected":
      return member.hasWill ? "its connection was cut" : "does not answer";
    case "dead":
      return `died ${agoShown(member.standingSince, now)}`;
    case "silent":
      return `gone ${agoShown(member.standingSince, now)}`;
    case "unknown":
      return "not told yet";
  }
}

const MARKS: Readonly<Record<Health, string>> = {
  good: "M3 8l3.5 3.5L13 4.5",
  lacking: "M8 3v6M8 12v1",
  suspected: "M5.5 6a2.5 2.5 0 1 1 2.5 3v1M8 12.5v1",
  dead: "M4 4l8 8M12 4l-8 8",
  silent: "M4 8h8",
  unknown: "M5 8h.5M8 8h.5M11 8h.5",
};

/** The mark of a health, inside of an SVG. */
export function markPath(health: Health): string {
  return MARKS[health];
}

/** The mark of a health. */
export function Mark({ health }: { readonly health: Health }): JSX.Element {
  return (
    <svg class={`mark ${health}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="7.5" />
      <path d={MARKS[health]} />
    </svg>
  );
}
