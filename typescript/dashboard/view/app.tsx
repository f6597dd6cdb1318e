/** The page. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Attention } from "./attention.js";
import { Banner, secondShown } from "./banner.js";
import { Details } from "./details.js";
import { Events } from "./events.js";
import { FleetMap } from "./map.js";
import { healthOf } from "./standing.js";
import { OrbiterTable } from "./table.js";
import type { Fleet } from "../model/fleet.js";
import type { Member } from "../model/member.js";
import { countShown } from "../model/format.js";
import type { Settings } from "../model/settings.js";

/** What the page shows. */
export interface AppProps {
  readonly settings: Settings;
  readonly fleet: Fleet;
  readonly selected: string | null;
  readonly select: (identifier: string | null) => void;
  readonly now: number;
}

/** Draw the page. */
export function App({ settings, fleet, selected, select, now }: AppProps): JSX.Element {
  const members = fleet.members
    .values()
    .filter((one) => !isOwn(settings, one.identifier))
    .sort(byName);
  const member = selected === null ? undefined : fleet.members.get(selected);
  const title = useRef<HTMLHeadingElement>(null);
  const before = useRef(selected);
  useEffect(() => {
    if (selected !== before.current && selected !== null && matchMedia("(max-width: 899px)").matches) {
      title.current?.scrollIntoView({ block: "start" });
      title.current?.focus();
    }
    before.current = selected;
  }, [selected]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("orbiters-title")?.focus()}>
        Go to the table of orbiters
      </button>
      <Header settings={settings} fleet={fleet} members={members} />
      <Banner bus={settings.bus} link={fleet.link} now={now} />
      <main class={fleet.link.isUp ? "" : "stale"}>
        <div class="column overview">
          <Attention
            members={members}
            leftOut={fleet.leftOut}
            isConnected={fleet.link.isUp}
            select={select}
            forgetEnded={() => fleet.forgetEnded()}
            now={now}
          />
          <section class="map" aria-labelledby="map-title">
            <h2 id="map-title">Map</h2>
            <FleetMap fleet={fleet} members={members} selected={selected} select={select} now={now} />
          </section>
          <section class="orbiters" aria-labelledby="orbiters-title">
            <h2 id="orbiters-title" tabIndex={-1}>
              Orbiters
            </h2>
            <OrbiterTable members={members} selected={selected} select={select} now={now} />
          </section>
        </div>
        <div class="column close">
          <section class="one" aria-labelledby="one-title">
            <h2 id="one-title" tabIndex={-1} ref={title}>
              {selected ?? "Details"}
            </h2>
            {member === undefined ? (
              <p class="empty">
                {selected === null
                  ? "Choose an orbiter on the map or in the table."
                  : "It is not here, or does not answer yet."}
              </p>
            ) : (
              <Details
                key={member.identifier}
                fleet={fleet}
                settings={settings}
                member={member}
                select={select}
                now={now}
              />
            )}
          </section>
          <section class="traffic" aria-labelledby="events-title">
            <h2 id="events-title">Events</h2>
            <Events fleet={fleet} selected={selected} />
          </section>
        </div>
      </main>
    </>
  );
}

interface HeaderProps {
  readonly settings: Settings;
  readonly fleet: Fleet;
  readonly members: readonly Member[];
}

function Header({ settings, fleet, members }: HeaderProps): JSX.Element {
  const there = members.filter((one) => one.isThere);
  const cores = there.filter((one) => one.role === "core");
  const lacking = cores.filter((one) => healthOf(one) === "lacking").length;
  const dead = members.filter((one) => one.standing === "dead").length;
  const { link } = fleet;
  return (
    <header>
      <h1>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <ellipse cx="16" cy="16" rx="14" ry="6.5" transform="rotate(-28 16 16)" />
          <circle cx="16" cy="16" r="5" />
          <circle class="moon" cx="27.5" cy="8.5" r="2.6" />
        </svg>
        Orbitalis
      </h1>
      <p class="bus">
        {settings.bus} · {settings.callers === null ? "looks only" : "may call"}
      </p>
      <ul class="summary" aria-label="Summary">
        <li>{countShown(cores.length, "core")}</li>
        {cores.length > 0 && (
          <li class={lacking > 0 ? "bad" : link.isUp ? "good" : ""}>
            {lacking > 0 ? `${lacking} not compliant` : "all compliant"}
          </li>
        )}
        <li>{countShown(there.length - cores.length, "plugin")}</li>
        {dead > 0 && <li class="bad">{dead} died</li>}
        {!link.isUp && <li>as of {secondShown(link.since)}</li>}
      </ul>
      <p class={`link-state ${link.isUp ? "good" : "bad"}`} role="status">
        {link.isUp ? "live" : link.problem === null ? "connecting …" : "not connected"}
      </p>
    </header>
  );
}

/** Whether it is a core of this page, which is there for one call. */
function isOwn({ callers, hasOneCaller }: Settings, identifier: string): boolean {
  return callers !== null && !hasOneCaller && identifier.startsWith(callers);
}

function byName(one: Member, other: Member): number {
  return one.identifier.localeCompare(other.identifier, undefined, { numeric: true });
}
