/** The map: cores, plugins, and the connections between them. */

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { layOut, type Group, type Layout, type Place } from "./layout.js";
import { healthOf, healthShown, markPath } from "./standing.js";
import type { Fleet } from "../model/fleet.js";
import type { Member } from "../model/member.js";

/** What the map shows. */
export interface MapProps {
  readonly fleet: Fleet;
  readonly members: readonly Member[];
  readonly selected: string | null;
  readonly select: (identifier: string) => void;
  readonly now: number;
}

/** For how many milliseconds a way is bright on which an event has passed. */
const BRIGHT = 900;
const CHARACTER = 7.2;
/** More connections of the orbiter that is chosen are not drawn one by one: they would hide what they lead to. */
const MOST_OWN = 24;
const KEYS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Draw the map. */
export function FleetMap(props: MapProps): JSX.Element {
  const { members, selected, select, now } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const [focused, setFocused] = useState<string | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (element === null) {
      return undefined;
    }
    const observer = new ResizeObserver(() => setWidth(Math.max(240, Math.floor(element.clientWidth))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const layout = layOut(members, width);
  const places = [...layout.cores, ...layout.groups.flatMap((one) => one.places)];
  const reachable = places.some((one) => one.member.identifier === focused)
    ? focused
    : (places[0]?.member.identifier ?? null);
  const move = (event: KeyboardEvent, index: number): void => {
    const step = KEYS[event.key];
    const next = step === undefined ? undefined : places[index + step];
    if (next !== undefined) {
      event.preventDefault();
      setFocused(next.member.identifier);
      document.getElementById(nodeId(next.member.identifier))?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(places[index]?.member.identifier ?? "");
    }
  };
  return (
    <div class="frame" ref={frame}>
      {places.length === 0 ? (
        <p class="empty">No orbiter answers yet.</p>
      ) : (
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="group"
          aria-label="Map of cores and plugins; the table of orbiters says the same"
        >
          <Ways {...props} layout={layout} places={places} />
          {layout.groups.map((group) => (
            <Title key={group.title} group={group} />
          ))}
          {places.map((place, index) => (
            <Node
              key={place.member.identifier}
              place={place}
              isSelected={place.member.identifier === selected}
              isReachable={place.member.identifier === reachable}
              now={now}
              select={select}
              keyDown={(event) => move(event, index)}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function nodeId(identifier: string): string {
  return `node ${identifier}`.replace(/\s/g, "_");
}

function Title({ group }: { readonly group: Group }): JSX.Element {
  const count = group.places.length > 1 ? ` · ${group.places.length}` : "";
  return (
    <text class="group-title" x={group.x} y={group.y + 14} aria-hidden="true">
      {fitted(group.title, group.width - 40) + count}
    </text>
  );
}

interface NodeProps {
  readonly place: Place;
  readonly isSelected: boolean;
  readonly isReachable: boolean;
  readonly now: number;
  readonly select: (identifier: string) => void;
  readonly keyDown: (event: KeyboardEvent) => void;
}

function Node({ place, isSelected, isReachable, now, select, keyDown }: NodeProps): JSX.Element {
  const { member, x, y, width, height, isDot } = place;
  const { identifier, role } = member;
  const health = healthOf(member);
  const words = healthShown(member, now);
  const isCore = role === "core";
  const lacks = member.isThere ? (member.lacks ?? []) : [];
  const second = lacks.length > 0 ? `misses ${lacks.map((one) => one.operation).join(", ")}` : words;
  return (
    <g
      id={nodeId(identifier)}
      class={`node ${role} ${health}${isSelected ? " selected" : ""}${isDot ? " dot" : ""}`}
      role="button"
      aria-label={`${role} ${identifier}, ${isCore ? second : words}`}
      aria-current={isSelected ? "true" : undefined}
      tabindex={isReachable ? 0 : -1}
      transform={`translate(${x} ${y})`}
      onClick={() => select(identifier)}
      onKeyDown={keyDown}
    >
      <title>{`${identifier}: ${isCore ? second : words}`}</title>
      <rect width={width} height={height} rx={isCore ? 10 : height / 2} />
      {isDot ? (
        health !== "good" && <path class="sign" transform="translate(-1 -1)" d={markPath(health)} />
      ) : (
        <>
          <path
            class="sign"
            transform={`translate(${isCore ? 8 : 6} ${isCore ? 7 : height / 2 - 8})`}
            d={markPath(health)}
          />
          <text x={isCore ? 30 : 26} y={isCore ? 19 : height / 2 + 4.5}>
            {fitted(identifier, width - (isCore ? 36 : 34))}
          </text>{" "}
          {isCore && (
            <text class="second" x={30} y={36}>
              {fitted(second, width - 36)}
            </text>
          )}
        </>
      )}
    </g>
  );
}

interface WaysProps extends MapProps {
  readonly layout: Layout;
  readonly places: readonly Place[];
}

interface Way {
  readonly from: Place;
  readonly to: Place;
  readonly state: string;
}

function Ways({ fleet, layout, places, selected, now }: WaysProps): JSX.Element {
  const byName = useMemo(() => new Map(places.map((one) => [one.member.identifier, one])), [places]);
  const ways = waysOf(byName);
  const isBright = (way: Way): boolean => {
    const [one, other] = [way.from.member.identifier, way.to.member.identifier];
    return [`${one} ${other}`, `${other} ${one}`].some((key) => now - (fleet.lastPassed.get(key) ?? 0) < BRIGHT);
  };
  const all = ways.filter((one) => [one.from.member.identifier, one.to.member.identifier].includes(selected ?? ""));
  const own = layout.isBundled && all.length > MOST_OWN ? [] : all;
  const highlighted = own.length < all.length ? selected : null;
  return (
    <g class="ways" aria-hidden="true">
      {layout.isBundled
        ? layout.cores.flatMap((core) =>
            layout.groups.map((group) =>
              bundle(layout, core, group, ways, isBright, core.member.identifier === highlighted),
            ),
          )
        : ways.map((way) => (
            <path
              key={keyOf(way)}
              class={`way ${way.state}${isBright(way) ? " bright" : ""}`}
              d={curve(layout, way.from, way.to)}
            />
          ))}
      {own.map((way) => (
        <path key={`own ${keyOf(way)}`} class={`way own ${way.state}`} d={curve(layout, way.from, way.to)} />
      ))}
    </g>
  );
}

function bundle(
  layout: Layout,
  core: Place,
  group: Group,
  ways: readonly Way[],
  isBright: (way: Way) => boolean,
  isOwn: boolean,
): JSX.Element | null {
  const inside = new Set(group.places);
  const all = ways.filter((one) => one.from === core && inside.has(one.to));
  if (all.length === 0) {
    return null;
  }
  const open = all.filter((one) => one.state === "open").length;
  const to = layout.isWide
    ? { x: group.x - 6, y: group.y + 10, width: 0, height: 0 }
    : { x: group.x + group.width / 2, y: group.y - 4, width: 0, height: 0 };
  // Beside the core, where no other core's label is; the groups below each other.
  const line = layout.groups.indexOf(group) * 13;
  const at = layout.isWide
    ? { x: core.x + core.width + 8, y: core.y + 14 + line }
    : { x: core.x + 8, y: core.y + core.height + 14 + line };
  return (
    <g key={`${core.member.identifier} ${group.title}`}>
      <path
        class={`way bundle open${isOwn ? " own" : ""}${all.some(isBright) ? " bright" : ""}`}
        stroke-width={1.5 + Math.log2(all.length) / 2}
        d={curve(layout, core, to)}
      />
      <text class="bundle-title" x={at.x} y={at.y}>
        {`${open} of ${group.places.length}`}
      </text>
    </g>
  );
}

function waysOf(byName: ReadonlyMap<string, Place>): Way[] {
  const ways = new Map<string, Way>();
  const add = (core: string, plugin: string, state: string): void => {
    const [from, to] = [byName.get(core), byName.get(plugin)];
    if (from?.member.role !== "core" || to === undefined || to.member.role === "core") {
      return;
    }
    const key = `${core} ${plugin}`;
    if (ways.get(key)?.state !== "open") {
      ways.set(key, { from, to, state: to.member.isThere && from.member.isThere ? state : "broken" });
    }
  };
  for (const { member } of byName.values()) {
    for (const one of member.isThere || member.role === "core" ? (member.connections?.connections ?? []) : []) {
      const state = one.state === "open" ? "open" : "pending";
      if (member.role === "core") {
        add(member.identifier, one.remoteIdentifier, state);
      } else {
        add(one.remoteIdentifier, member.identifier, state);
      }
    }
  }
  return [...ways.values()];
}

function keyOf(way: Way): string {
  return `${way.from.member.identifier} ${way.to.member.identifier}`;
}

function curve(
  { isWide }: Layout,
  from: { x: number; y: number; width: number; height: number },
  to: { x: number; y: number; width: number; height: number },
): string {
  if (isWide) {
    const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
    const bend = Math.min(90, (x2 - x1) / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }
  const [x1, y1, x2, y2] = [from.x + from.width / 2, from.y + from.height, to.x + to.width / 2, to.y];
  const bend = Math.min(60, (y2 - y1) / 2);
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
}

function fitted(text: string, width: number): string {
  const most = Math.max(3, Math.floor(width / CHARACTER));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
