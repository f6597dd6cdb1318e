/** What the page knows of one orbiter. */

import type { Known, Lack } from "./compliance.js";
import type { StatisticsAnswer } from "../../src/index.js";

/**
 * How an orbiter is.
 *
 * It is `present` while it answers, and `suspected` when its connection was cut or it has not answered once. When it
 * answers no more, it is `dead` if its connection was cut, and otherwise `silent`: nobody has said whether it has left,
 * hangs, or is cut off.
 */
export type Standing = "present" | "suspected" | "dead" | "silent";

/** What an orbiter tells. */
export type Part = "info" | "connections" | "statistics";

/** What is known of one orbiter. */
export interface Member extends Known {
  readonly identifier: string;
  readonly role: string;
  readonly standing: Standing;
  /** Since when, in milliseconds since 1970. */
  readonly standingSince: number;
  readonly isThere: boolean;
  /** Whether its connection was cut since it answered last. */
  readonly hasWill: boolean;
  readonly incarnation: string | null;
  /** Others that answer under the same identifier. */
  readonly namesakes: number;
  /** Seconds that its last answer took. */
  readonly roundTrip: number | null;
  /** How often it has started anew since the page was opened. */
  readonly restarts: number;
  readonly statistics: StatisticsAnswer | null;
  /** Executions in a second, of all of its operations; `null` before they were counted twice. */
  readonly rate: number | null;
  /** What it told that is not kept, since that would take too much memory. */
  readonly leftOut: readonly Part[];
  /** What a core is missing; `null` for a plugin, and while it is not known. */
  readonly lacks: readonly Lack[] | null;
}

/** An orbiter of which nothing is known but its name. */
export function unknown(identifier: string): Member {
  return {
    identifier,
    role: "plugin",
    standing: "present",
    standingSince: Date.now(),
    isThere: true,
    hasWill: false,
    incarnation: null,
    namesakes: 0,
    roundTrip: null,
    restarts: 0,
    info: null,
    connections: null,
    statistics: null,
    rate: null,
    leftOut: [],
    lacks: null,
  };
}

/** The executions of an orbiter. */
export function executionsOf(statistics: StatisticsAnswer | null): number | null {
  return statistics === null ? null : [...statistics.operations.values()].reduce((sum, one) => sum + one.executions, 0);
}

/** The errors of an orbiter. */
export function errorsOf(statistics: StatisticsAnswer | null): number | null {
  return statistics === null ? null : [...statistics.operations.values()].reduce((sum, one) => sum + one.errors, 0);
}

/** Executions in a second between two answers; `null` if they are not of one run. */
export function rateOf(before: StatisticsAnswer | null, after: StatisticsAnswer): number | null {
  if (before?.incarnation !== after.incarnation) {
    return null;
  }
  const seconds = Number(after.answeredAt - before.answeredAt) / 1e6;
  const executions = (executionsOf(after) ?? 0) - (executionsOf(before) ?? 0);
  return seconds > 0 ? Math.max(0, executions / seconds) : null;
}
