/** Where everything is on the map. It depends on who is there and on the width alone: nothing moves by itself. */

import type { Member } from "../model/member.js";

/** A rectangle. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An orbiter on the map. */
export interface Place extends Box {
  readonly member: Member;
  /** Whether there is no room for its name. */
  readonly isDot: boolean;
}

/** Plugins that lend the same operations. */
export interface Group extends Box {
  readonly title: string;
  readonly places: readonly Place[];
}

/** The map. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Whether cores are beside plugins, and not above them. */
  readonly isWide: boolean;
  /** Whether there are so many plugins that connections lead to their groups. */
  readonly isBundled: boolean;
  readonly cores: readonly Place[];
  readonly groups: readonly Group[];
}

const WIDE = 520;
const EDGE = 4;
const CORE_HEIGHT = 46;
const CHIP_WIDTH = 128;
const CHIP_HEIGHT = 28;
const DOT = 14;
const GAP = 8;
const TITLE_HEIGHT = 22;
/** More plugins than these stand side by side, and connections lead to their groups. */
const MOST_ROWS = 10;
const ROW_WIDTH = 190;
/** More plugins than these are dots. */
const MOST_CHIPS = 60;

/** Lay out some orbiters in a width. */
export function layOut(members: readonly Member[], width: number): Layout {
  const cores = members.filter((one) => one.role === "core");
  const plugins = members.filter((one) => one.role !== "core");
  const isWide = width >= WIDE;
  const coreWidth = isWide ? Math.min(190, width * 0.28) : Math.min(170, (width - 2 * EDGE - GAP) / 2);
  const gap = isWide ? Math.max(70, width * 0.14) : 56;
  const perRow = isWide ? 1 : Math.max(1, Math.floor((width - 2 * EDGE + GAP) / (coreWidth + GAP)));
  const rows = Math.ceil(cores.length / perRow);
  const coresHeight = rows * (CORE_HEIGHT + GAP) - (rows > 0 ? GAP : 0);
  const left = isWide ? EDGE + (cores.length > 0 ? coreWidth + gap : 0) : EDGE;
  const top = isWide || rows === 0 ? EDGE : EDGE + coresHeight + gap;
  const groups = groupsOf(plugins, isWide, left, top, width - left - EDGE);
  const pluginsBottom = groups.reduce((bottom, one) => Math.max(bottom, one.y + one.height), top);
  const height = Math.max(pluginsBottom, EDGE + coresHeight) + EDGE;
  const coreTop = isWide ? Math.max(EDGE, (Math.min(height, 600) - coresHeight) / 2) : EDGE;
  return {
    width,
    height,
    isWide,
    isBundled: plugins.length > MOST_ROWS,
    cores: cores.map((member, index) => ({
      member,
      isDot: false,
      x: EDGE + (index % perRow) * (coreWidth + GAP),
      y: coreTop + Math.floor(index / perRow) * (CORE_HEIGHT + GAP),
      width: coreWidth,
      height: CORE_HEIGHT,
    })),
    groups,
  };
}

function groupsOf(plugins: readonly Member[], isWide: boolean, left: number, top: number, width: number): Group[] {
  const byOperations = new Map<string, Member[]>();
  for (const one of plugins) {
    const title = titleOf(one);
    byOperations.set(title, [...(byOperations.get(title) ?? []), one]);
  }
  const isDot = plugins.length > MOST_CHIPS;
  const isRow = plugins.length <= MOST_ROWS && isWide;
  const chip = [Math.min(isRow ? ROW_WIDTH : CHIP_WIDTH, width), CHIP_HEIGHT] as const;
  const [itemWidth, itemHeight] = isDot ? [DOT, DOT] : chip;
  const perRow = isRow ? 1 : Math.max(1, Math.floor((width + GAP) / (itemWidth + GAP)));
  let y = top;
  return [...byOperations]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([title, members]) => {
      const places = members.map((member, index) => ({
        member,
        isDot,
        x: left + (index % perRow) * (itemWidth + GAP),
        y: y + TITLE_HEIGHT + Math.floor(index / perRow) * (itemHeight + GAP),
        width: itemWidth,
        height: itemHeight,
      }));
      const rows = Math.ceil(members.length / perRow);
      const height = TITLE_HEIGHT + rows * (itemHeight + GAP);
      const group = { title, places, x: left, y, width, height };
      y += height + GAP;
      return group;
    });
}

function titleOf({ info }: Member): string {
  return info === null ? "not told yet" : [...info.operations.keys()].sort().join(", ") || "no operations";
}
