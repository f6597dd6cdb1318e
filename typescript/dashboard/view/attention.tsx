/** What somebody has to look at: cores that miss something, and orbiters that have died. */

import type { JSX } from "preact";

import { healthOf, healthShown, Mark } from "./standing.js";
import { lackShown } from "../model/compliance.js";
import { countShown } from "../model/format.js";
import { BOUNDS } from "../model/members.js";
import type { Member } from "../model/member.js";

/** What the list shows. */
export interface AttentionProps {
  readonly members: readonly Member[];
  /** How many answer for which there is no room. */
  readonly leftOut: number;
  readonly isConnected: boolean;
  readonly select: (identifier: string) => void;
  readonly forgetEnded: () => void;
  readonly now: number;
}

const MOST = 8;

/** List what is wrong, the worst first. */
export function Attention({ members, leftOut, isConnected, select, forgetEnded, now }: AttentionProps): JSX.Element {
  const wrong = members.filter((one) => isWrong(one)).sort((one, other) => other.standingSince - one.standingSince);
  const ended = members.filter((one) => !one.isThere).length;
  return (
    <section class="attention" aria-labelledby="attention-title">
      <h2 id="attention-title">Needs a look</h2>
      <ul aria-live="polite">
        {!isConnected && <li class="fine">Not known while the page is not connected with the bus.</li>}
        {wrong.slice(0, MOST).map((member) => (
          <li key={member.identifier} class={healthOf(member)}>
            <Mark health={healthOf(member)} />
            <span>
              <button type="button" class="link" onClick={() => select(member.identifier)}>
                {member.identifier}
              </button>{" "}
              {reasonShown(member, now)}
            </span>
          </li>
        ))}
        {wrong.length > MOST && <li>and {wrong.length - MOST} more</li>}
        {leftOut > 0 && (
          <li class="lacking">
            <Mark health="lacking" />
            <span>
              {countShown(leftOut, "more orbiter")} answered that {leftOut === 1 ? "is" : "are"} not shown: the page
              keeps {BOUNDS.members}. Names may be invented; `orbitalis ls` lists all.
            </span>
          </li>
        )}
        {isConnected && wrong.length === 0 && leftOut === 0 && (
          <li class="fine">
            {members.length === 0
              ? "Nothing: no orbiter has answered yet."
              : "Nothing: all that is here answers, and all cores are compliant."}
          </li>
        )}
      </ul>
      {ended > 0 && (
        <button type="button" onClick={forgetEnded}>
          Forget {ended} that {ended === 1 ? "has" : "have"} ended
        </button>
      )}
    </section>
  );
}

function isWrong(member: Member): boolean {
  return !["good", "unknown"].includes(healthOf(member)) || member.namesakes > 0 || member.leftOut.length > 0;
}

function reasonShown(member: Member, now: number): string {
  if (member.namesakes > 0) {
    return `answers ${member.namesakes + 1} times: there must be one orbiter with an identifier`;
  }
  const lacks = member.lacks ?? [];
  if (healthOf(member) === "lacking") {
    return `is not compliant: ${lacks.map((one) => `${one.operation} ${lackShown(one)}`).join("; ")}`;
  }
  if (member.leftOut.length > 0 && member.standing === "present") {
    return `tells more than the page keeps: its ${member.leftOut.join(", ")} ${member.leftOut.length === 1 ? "is" : "are"} left out`;
  }
  switch (healthOf(member)) {
    case "dead":
      return `${healthShown(member, now)}: its connection was cut, and it answers no more`;
    case "silent":
      return `${healthShown(member, now)}: it answers no more, and its connection was not cut`;
    default:
      return `${healthShown(member, now)}: a sign of life is awaited`;
  }
}
