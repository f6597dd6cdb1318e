/** Whether the page is connected with the bus, and what is in between where it is not. */

import type { Settings } from "./settings.js";

/**
 * Where the way to the bus ends: at the command that serves the page, which does not answer or was started anew, or at
 * the broker.
 */
export type Cut = "command" | "restart" | "broker";

/** How the page is connected with the bus. */
export interface Link {
  readonly isUp: boolean;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** What is wrong; `null` while it is up, and before that is known. */
  readonly problem: { readonly cut: Cut; readonly text: string } | null;
}

/** Seconds that the command has to answer; it is on this machine, or behind a forwarded port. */
const WITHIN = 3;

/** Find out where the way to the bus ends; `text` is what the page itself has seen of it. */
export async function problemOf(settings: Settings, text: string): Promise<Link["problem"]> {
  let answer: Response;
  try {
    answer = await fetch(settings.state, { cache: "no-store", signal: AbortSignal.timeout(1000 * WITHIN) });
  } catch {
    return { cut: "command", text: "the command `orbitalis dashboard` that serves this page does not answer" };
  }
  if (!answer.ok) {
    return { cut: "restart", text: "the command `orbitalis dashboard` was started anew, and this page is of before" };
  }
  const { problem } = (await answer.json()) as { readonly problem: string | null };
  return { cut: "broker", text: problem ?? text };
}
