/** Everything that is known of one orbiter. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { CallForm } from "./call.js";
import { healthOf, healthShown, Mark } from "./standing.js";
import { lackShown, type Lack } from "../model/compliance.js";
import type { Fleet } from "../model/fleet.js";
import type { Member } from "../model/member.js";
import { countShown, microsAgoShown, secondsShown } from "../model/format.js";
import type { Settings } from "../model/settings.js";
import { shapeShown } from "../model/shapes.js";
import type {
  ConnectionInfo,
  OperationInfo,
  OperationStatistics,
  RequirementInfo,
} from "../../../generated/typescript/messages.js";

/** What the details are of. */
export interface DetailsProps {
  readonly fleet: Fleet;
  readonly settings: Settings;
  readonly member: Member;
  readonly select: (identifier: string) => void;
  readonly now: number;
}

/** Show one orbiter. */
export function Details(props: DetailsProps): JSX.Element {
  const { fleet, member, now, select } = props;
  const { info, identifier, role } = member;
  return (
    <div class="details">
      <p class="standing">
        <Mark health={healthOf(member)} /> {role}, {healthShown(member, now)}
        <button type="button" onClick={() => fleet.refresh(identifier)}>
          Ask again
        </button>
      </p>
      {info !== null && (
        <dl>
          <Fact name="Running">{microsAgoShown(info.startedAt, now).replace(" ago", "")}</Fact>
          <Fact name="Software">{`${info.implementation} ${info.implementationVersion}`}</Fact>
          <Fact name="Protocol">{info.specificationVersion}</Fact>
          <Fact name="Answers in">{member.roundTrip === null ? "?" : secondsShown(member.roundTrip)}</Fact>
          <Fact name="Incarnation">
            {member.incarnation?.slice(0, 8) ?? "?"}
            {member.restarts > 0 && `, started anew ${countShown(member.restarts, "time")}`}
          </Fact>
        </dl>
      )}
      {member.lacks !== null && member.lacks.length > 0 && <Why lacks={member.lacks} select={select} />}
      {info !== null && role === "core" && <Requirements {...props} requirements={info.requirements} />}
      {info !== null && role !== "core" && <Operations {...props} operations={info.operations} />}
      <Connections {...props} />
      {info !== null && info.explanation !== "" && (
        <details>
          <summary>What it says itself</summary>
          <pre tabIndex={0}>{info.explanation}</pre>
        </details>
      )}
      <Counters member={member} />
    </div>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: string | (string | false)[];
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Why({
  lacks,
  select,
}: {
  readonly lacks: readonly Lack[];
  readonly select: (id: string) => void;
}): JSX.Element {
  return (
    <section class="why" aria-label="Why it is not compliant">
      <h3>Why it is not compliant</h3>
      {lacks.map((lack) => (
        <div key={lack.operation}>
          <p>
            <b>{lack.operation}</b> {lackShown(lack)}
          </p>
          <ul>
            {lack.silent.map((one) => (
              <li key={one}>{one} does not answer: is it running?</li>
            ))}
            {lack.candidates.length === 0 && lack.silent.length === 0 && <li>no other plugin that answers has it</li>}
            {lack.candidates.map((one) => (
              <li key={one.plugin}>
                <button type="button" class="link" onClick={() => select(one.plugin)}>
                  {one.plugin}
                </button>
                : {one.state ?? "not connected"}
                <ul>
                  {one.reasons.map((reason) => (
                    <li key={reason}>{reason}</li>
                  ))}
                  {one.reasons.length === 0 && <li>nothing is in the way that either side knows of</li>}
                </ul>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Requirements(
  props: DetailsProps & { readonly requirements: ReadonlyMap<string, RequirementInfo> },
): JSX.Element {
  const { requirements, member } = props;
  return (
    <section aria-label="What it needs">
      <h3>Needs</h3>
      {requirements.size === 0 && <p>Nothing.</p>}
      {[...requirements].sort().map(([name, one]) => (
        <article key={name}>
          <h4>{name}</h4>
          <p class="shape">
            sends <code>{one.inputs.map(shapeShown).join(", or ") || "nothing"}</code>
          </p>
          <p class="shape">
            takes <code>{one.outputs.map(shapeShown).join(", or ") || "nothing"}</code>
          </p>
          <p class="terms">
            {`at least ${one.minimum}`}
            {one.maximum !== null && `, at most ${one.maximum}`}
            {one.mandatory.length > 0 && `, always ${one.mandatory.join(", ")}`}
            {listsShown(one.allowlist, one.blocklist)}
          </p>
          <Counted statistics={member.statistics?.operations.get(name)} now={props.now} />
        </article>
      ))}
    </section>
  );
}

function Operations(props: DetailsProps & { readonly operations: ReadonlyMap<string, OperationInfo> }): JSX.Element {
  return (
    <section aria-label="What it lends">
      <h3>Operations</h3>
      {props.operations.size === 0 && <p>None.</p>}
      {[...props.operations].sort().map(([name, one]) => (
        <OneOperation key={name} {...props} name={name} description={one} />
      ))}
    </section>
  );
}

function OneOperation(
  props: DetailsProps & { readonly name: string; readonly description: OperationInfo },
): JSX.Element {
  const { settings, member, name, description } = props;
  const [isOpen, setOpen] = useState(false);
  const open = member.connections?.connections.filter(
    (one) => one.operationName === name && one.state === "open",
  ).length;
  const schemas = [...new Set([...description.input.schemas, ...description.output.schemas])];
  return (
    <article>
      <div class="heading">
        <h4>{name}</h4>
        {settings.callers !== null && member.isThere && (
          <button type="button" aria-expanded={isOpen} aria-label={`Call ${name}`} onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Close" : "Call …"}
          </button>
        )}
      </div>
      {description.documentation !== "" && <p class="documentation">{description.documentation}</p>}
      <p class="shape">
        takes <code>{shapeShown(description.input)}</code>
      </p>
      <p class="shape">
        gives <code>{shapeShown(description.output)}</code>
      </p>
      <p class="terms">
        {`lent to ${open ?? "?"} of ${description.maximum ?? "any number"}`}
        {listsShown(description.allowlist, description.blocklist)}
      </p>
      <Counted statistics={member.statistics?.operations.get(name)} now={props.now} />
      {isOpen && (
        <CallForm
          settings={settings}
          called={{
            plugin: member.identifier,
            operation: name,
            description,
            connections: member.connections,
          }}
        />
      )}
      {schemas.length > 0 && (
        <details>
          <summary>Schemas</summary>
          {schemas.map((one) => (
            <pre key={one} tabIndex={0}>
              {indented(one)}
            </pre>
          ))}
        </details>
      )}
    </article>
  );
}

function Counted({
  statistics,
  now,
}: {
  readonly statistics: OperationStatistics | undefined;
  readonly now: number;
}): JSX.Element | null {
  if (statistics === undefined) {
    return null;
  }
  const { executions, answers, errors, lastError, lastErrorAt, secondsInHandler } = statistics;
  const each = executions > 0 ? `, ${secondsShown(secondsInHandler / executions)} each` : "";
  return (
    <p class="terms">
      {`${countShown(executions, "execution")}, ${countShown(answers, "answer")}${each}, `}
      <span class={errors > 0 ? "bad" : ""}>{countShown(errors, "error")}</span>
      {lastError !== null &&
        `, the last: ${lastError} (${lastErrorAt === null ? "?" : microsAgoShown(lastErrorAt, now)})`}
    </p>
  );
}

function Connections({ member, select, fleet, now }: DetailsProps): JSX.Element {
  const connections: readonly ConnectionInfo[] = member.connections?.connections ?? [];
  return (
    <section aria-label="Connections">
      <h3>Connections</h3>
      {connections.length === 0 ? (
        <p>None.</p>
      ) : (
        <div class="scrolls" tabIndex={0} role="region" aria-label="Table of connections">
          <table>
            <thead>
              <tr>
                <th scope="col">With</th>
                <th scope="col">Operation</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Since
                </th>
                <th scope="col" class="number">
                  Last used
                </th>
              </tr>
            </thead>
            <tbody>
              {connections.map((one) => (
                <tr key={`${one.remoteIdentifier} ${one.operationName}`}>
                  <th scope="row">
                    {fleet.members.get(one.remoteIdentifier) !== undefined ? (
                      <button type="button" class="link" onClick={() => select(one.remoteIdentifier)}>
                        {one.remoteIdentifier}
                      </button>
                    ) : (
                      one.remoteIdentifier
                    )}
                  </th>
                  <td>{one.operationName}</td>
                  <td>{one.state}</td>
                  <td class="number">{microsAgoShown(one.since, now)}</td>
                  <td class="number">{one.lastUsedAt === null ? "never" : microsAgoShown(one.lastUsedAt, now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Counters({ member }: { readonly member: Member }): JSX.Element | null {
  const counters = [...(member.statistics?.counters ?? [])].sort();
  return counters.length === 0 ? null : (
    <details>
      <summary>All counters</summary>
      <dl class="counters">
        {counters.map(([name, count]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{String(count)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function listsShown(allowlist: readonly string[] | null, blocklist: readonly string[] | null): string {
  const only = allowlist === null ? "" : `, only ${allowlist.join(", ") || "nobody"}`;
  return `${only}${(blocklist?.length ?? 0) > 0 ? `, not ${blocklist?.join(", ") ?? ""}` : ""}`;
}

function indented(schema: string): string {
  try {
    return JSON.stringify(JSON.parse(schema), null, 2);
  } catch {
    return schema;
  }
}
