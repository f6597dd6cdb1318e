/** The table of orbiters, which says in words what the map shows. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { healthOf, healthShown, Mark } from "./standing.js";
import { errorsOf, executionsOf, type Member } from "../model/member.js";
import { microsAgoShown, secondsShown } from "../model/format.js";

/** What the table shows. */
export interface TableProps {
  readonly members: readonly Member[];
  readonly selected: string | null;
  readonly select: (identifier: string) => void;
  readonly now: number;
}

/** Show orbiters, a row each. */
export function OrbiterTable({ members, selected, select, now }: TableProps): JSX.Element {
  const [sought, setSought] = useState("");
  const words = sought.toLowerCase().split(/\s+/);
  const shown = members.filter((one) => words.every((word) => textOf(one, now).includes(word)));
  return (
    <>
      <div class="tools">
        <label>
          Filter{" "}
          <input
            type="search"
            value={sought}
            onInput={(event) => setSought(event.currentTarget.value)}
            placeholder="name, operation, died"
          />
        </label>
        <span role="status">{shown.length === members.length ? "" : `${shown.length} of ${members.length}`}</span>
      </div>
      <div class="scrolls" tabIndex={0} role="region" aria-label="Table of orbiters">
        <table>
          <thead>
            <tr>
              <th scope="col">Orbiter</th>
              <th scope="col">How it is</th>
              <th scope="col">Operations</th>
              <th scope="col" class="number">
                Open
              </th>
              <th scope="col" class="number">
                Executions
              </th>
              <th scope="col" class="number">
                Errors
              </th>
              <th scope="col" class="number">
                Answers in
              </th>
              <th scope="col" class="number">
                Running
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((member) => (
              <Row
                key={member.identifier}
                member={member}
                isSelected={member.identifier === selected}
                select={select}
                now={now}
              />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p class="empty">
            {members.length === 0
              ? "No orbiter has answered yet: those that start appear here."
              : "None fits the filter."}
          </p>
        )}
      </div>
    </>
  );
}

interface RowProps {
  readonly member: Member;
  readonly isSelected: boolean;
  readonly select: (identifier: string) => void;
  readonly now: number;
}

function Row({ member, isSelected, select, now }: RowProps): JSX.Element {
  const { identifier, info, statistics, connections, roundTrip, rate } = member;
  const errors = errorsOf(statistics);
  const open = connections?.connections.filter((one) => one.state === "open").length;
  return (
    <tr class={isSelected ? "selected" : ""} onClick={() => select(identifier)}>
      <th scope="row">
        <button
          type="button"
          class="link"
          aria-current={isSelected ? "true" : undefined}
          onClick={() => select(identifier)}
        >
          {identifier}
        </button>{" "}
        <span class="role">{member.role}</span>
      </th>
      <td class="standing">
        <Mark health={healthOf(member)} /> {healthShown(member, now)}
      </td>
      <td class="operations">{operationsShown(member)}</td>
      <td class="number">{member.isThere ? (open ?? "") : ""}</td>
      <td class="number">
        {executionsOf(statistics)?.toString() ?? ""}
        {rate !== null && rate > 0.05 && member.isThere && <span class="rate"> {rate.toFixed(1)}/s</span>}
      </td>
      <td class={`number${errors !== null && errors > 0 ? " bad" : ""}`}>{errors?.toString() ?? ""}</td>
      <td class="number">{member.isThere && roundTrip !== null ? secondsShown(roundTrip) : ""}</td>
      <td class="number">{info === null ? "" : microsAgoShown(info.startedAt, now).replace(" ago", "")}</td>
    </tr>
  );
}

/** What an orbiter lends, or needs. */
function operationsShown({ info, role }: Member): string {
  if (info === null) {
    return "";
  }
  const names = [...(role === "core" ? info.requirements : info.operations).keys()].sort().join(", ");
  return role === "core" ? `needs ${names || "nothing"}` : names || "none";
}

function textOf(member: Member, now: number): string {
  return `${member.identifier} ${member.role} ${operationsShown(member)} ${healthShown(member, now)}`.toLowerCase();
}
