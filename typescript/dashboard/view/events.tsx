/** Events as they pass, decoded. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import type { Fleet } from "../model/fleet.js";
import { clockShown } from "../model/format.js";
import { LOUD_KINDS, type Passed } from "../model/traffic.js";
import { jsonText } from "../model/values.js";

/** What the list shows. */
export interface EventsProps {
  readonly fleet: Fleet;
  readonly selected: string | null;
}

const MOST = 150;

/** List the last events, newest first. */
export function Events({ fleet, selected }: EventsProps): JSX.Element {
  const { traffic } = fleet;
  const [kind, setKind] = useState("");
  const [sought, setSought] = useState("");
  const [isOfSelected, setOfSelected] = useState(false);
  const [hasSigns, setSigns] = useState(false);
  const [frozen, setFrozen] = useState<readonly Passed[] | null>(null);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const about = isOfSelected ? selected : null;
  const fits = (one: Passed): boolean =>
    (kind === "" || one.kind === kind) &&
    (about === null || one.sender === about || one.recipient === about) &&
    (sought === "" || textOf(one).includes(sought.toLowerCase()));
  const shown = (frozen ?? traffic.events).filter(fits).slice(-MOST).reverse();
  const toggle = (number: number, isOpen: boolean): void => {
    const changed = new Set(opened);
    if (isOpen) {
      changed.add(number);
    } else {
      changed.delete(number);
    }
    setOpened(changed);
  };
  return (
    <>
      <div class="tools">
        <label>
          Kind{" "}
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="">all</option>
            {LOUD_KINDS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          Filter{" "}
          <input
            type="search"
            value={sought}
            onInput={(event) => setSought(event.currentTarget.value)}
            placeholder="orbiter, operation"
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={isOfSelected}
            onChange={(event) => setOfSelected(event.currentTarget.checked)}
          />{" "}
          of the selected one
        </label>
        <label>
          <input
            type="checkbox"
            checked={hasSigns}
            onChange={(event) => {
              setSigns(event.currentTarget.checked);
              void fleet.showSignsOfLife(event.currentTarget.checked);
            }}
          />{" "}
          signs of life
        </label>
        <button
          type="button"
          aria-pressed={frozen !== null}
          onClick={() => setFrozen(frozen === null ? [...traffic.events] : null)}
        >
          {frozen === null ? "Pause" : "Go on"}
        </button>
        <span class="count">{traffic.count} seen</span>
      </div>
      <div class="scrolls events" tabIndex={0} role="region" aria-label="Events, the newest first">
        {shown.length === 0 && <p class="empty">{emptyShown(fleet)}</p>}
        <ol>
          {shown.map((one) => (
            <Event key={one.number} fleet={fleet} passed={one} isOpen={opened.has(one.number)} toggle={toggle} />
          ))}
        </ol>
      </div>
    </>
  );
}

interface EventProps {
  readonly fleet: Fleet;
  readonly passed: Passed;
  readonly isOpen: boolean;
  readonly toggle: (number: number, isOpen: boolean) => void;
}

function Event({ fleet, passed, isOpen, toggle }: EventProps): JSX.Element {
  const { name, payload, line, envelope } = fleet.traffic.contentOf(passed);
  return (
    <li class={`event ${passed.kind}`}>
      <details open={isOpen} onToggle={(event) => toggle(passed.number, event.currentTarget.open)}>
        <summary>
          <time>{clockShown(passed.at)}</time> <span class="kind">{passed.kind}</span>{" "}
          <span class="way-shown">
            {passed.sender ?? "?"} → {passed.recipient ?? "all"}
          </span>{" "}
          {passed.operation !== null && <b>{passed.operation}</b>}{" "}
          <code>
            {name} {line}
          </code>
        </summary>
        {isOpen && (
          <>
            <pre tabIndex={0}>{payload === null ? `${name}: nothing that can be read` : jsonText(payload, "  ")}</pre>
            <dl class="counters">
              <Fact name="topic" value={passed.topic} />
              <Fact name="event" value={envelope?.identifier} />
              <Fact name="answers" value={envelope?.correlationIdentifier} />
              <Fact name="connection" value={envelope?.connectionIdentifier} />
              <Fact name="number" value={envelope?.sequenceNumber?.toString()} />
              <Fact name="schema" value={envelope?.schemaFingerprint} />
              <Fact name="trace" value={envelope?.traceparent} />
            </dl>
          </>
        )}
      </details>
    </li>
  );
}

function Fact({
  name,
  value,
}: {
  readonly name: string;
  readonly value: string | null | undefined;
}): JSX.Element | null {
  return value == null ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function textOf(one: Passed): string {
  return `${one.sender ?? ""} ${one.recipient ?? ""} ${one.operation ?? ""}`.toLowerCase();
}

function emptyShown({ traffic }: Fleet): string {
  return traffic.count > 0
    ? "No event that has passed fits."
    : "Nothing has passed yet. A broker with access lists shows events only to an operator that may read all topics.";
}
