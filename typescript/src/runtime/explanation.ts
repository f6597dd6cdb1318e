/** Why there is a connection or none: what an orbiter knows of that, as data and as the text that operators read. */

import type { RemoteInfo } from "../../../generated/typescript/messages.js";
import type { Obstacle } from "../protocol/obstacles.js";
import type { CoreMachine, Machine, PluginMachine } from "../protocol/machine.js";
import type { Slot } from "../protocol/slots.js";
import { shortened } from "../schema/difference.js";

/** Operations that are listed, remotes for each of them, and names in a list. */
const LISTED = 20;
const UNKNOWN =
  "no plugin has offered it, and none that has it was heard of: " +
  "one that has it and does not offer it says why in its log";

/** How far it has come with a remote for an operation. */
type Sharing = "connected" | "under way" | "ending" | "nothing" | "silent" | "not offered";

/** What an orbiter knows. */
export interface Explanation {
  readonly text: string;
  /** What the text says of remotes. */
  readonly remotes: readonly RemoteInfo[];
}

/** What is known of one operation. */
interface Explained {
  readonly lines: readonly string[];
  readonly remotes: readonly RemoteInfo[];
}

/** Say what a core knows of the connections that it requires, first of those that it lacks. */
export function explainCore(identifier: string, machine: CoreMachine): Explanation {
  const { requester, peers } = machine;
  const names = [...requester.requirements.keys()];
  const isMet = new Map(names.map((name) => [name, requester.isCompliantFor(name)]));
  const ordered = names.toSorted((one, other) => Number(isMet.get(one)) - Number(isMet.get(other)));
  const state = requester.isCompliant() ? "is compliant" : "is not compliant";
  return together(
    `core ${shortened(identifier)} ${state}; it knows ${counted(peers.size, "remote")}`,
    ordered.slice(0, LISTED).map((name) => explainRequirement(machine, name, isMet.get(name) === true)),
    more("  ", ordered.length - LISTED, "operation"),
  );
}

/** Say what a plugin knows of the connections for its operations, first of those that were refused to somebody. */
export function explainPlugin(identifier: string, machine: PluginMachine): Explanation {
  const { provider, slots, obstacles, peers } = machine;
  const refused = new Set(obstacles.all().map((one) => one.operationName));
  const names = [...provider.operations.keys()];
  const ordered = names.toSorted((one, other) => Number(refused.has(other)) - Number(refused.has(one)));
  const explained = ordered.slice(0, LISTED).map((name): Explained => {
    const maximum = provider.operations.get(name)?.maximum ?? null;
    const lent = slots.openCount(name);
    const lentTo = maximum === null ? counted(lent, "core") : `${String(lent)} of at most ${counted(maximum, "core")}`;
    const { listed, left } = explainRemotes(machine, name, new Map());
    const lines = [
      `  operation ${shortened(name)} is lent to ${lentTo}`,
      ...listed.map((one) => `    ${sayRemote(one)}`),
      ...more("    ", left, "core"),
    ];
    return { lines, remotes: listed };
  });
  return together(
    `plugin ${shortened(identifier)} knows ${counted(peers.size, "remote")}`,
    explained,
    more("  ", ordered.length - LISTED, "operation"),
  );
}

function together(head: string, explained: readonly Explained[], tail: readonly string[]): Explanation {
  return {
    text: [head, ...explained.flatMap(({ lines }) => lines), ...tail].join("\n"),
    remotes: explained.flatMap(({ remotes }) => remotes),
  };
}

function explainRequirement(machine: CoreMachine, name: string, isMet: boolean): Explained {
  const { requester, slots } = machine;
  const others = new Map<string, Sharing>();
  for (const [known, sharing] of [
    [requester.heardOf, "not offered"],
    [requester.silent, "silent"],
  ] as const) {
    for (const [plugin, names] of known) {
      if (names.includes(name)) {
        others.set(plugin, sharing);
      }
    }
  }
  const { listed, left } = explainRemotes(machine, name, others);
  const openWith = new Set(slots.openOfOperation(name).map((slot) => slot.remoteIdentifier));
  const known = listed.map((one) => `    ${sayRemote(one)}`);
  const lines = [
    `  operation ${shortened(name)} ${lackOf(machine, name, openWith)}`,
    ...(known.length === 0 && !isMet ? [`    ${UNKNOWN}`] : known),
    ...more("    ", left, "plugin"),
  ];
  return { lines, remotes: listed };
}

/** Say in a few words what is lacking. */
function lackOf(machine: CoreMachine, name: string, openWith: ReadonlySet<string>): string {
  const terms = machine.requester.requirements.get(name);
  const mandatory = terms?.mandatory ?? [];
  const minimum = terms?.minimum ?? 0;
  const connected = [...openWith].filter((one) => !mandatory.includes(one)).length;
  const missing = mandatory.filter((one) => !openWith.has(one));
  const lacking: string[] = [];
  if (connected < minimum) {
    const note = mandatory.length > 0 ? " (mandatory plugins are not counted in the minimum)" : "";
    lacking.push(`has ${String(connected)} of at least ${String(minimum)} plugins${note}`);
  }
  if (missing.length > 0) {
    const beside = missing.length > LISTED ? ` and ${String(missing.length - LISTED)} more` : "";
    lacking.push(
      `is without mandatory ${missing
        .slice(0, LISTED)
        .map((one) => shortened(one))
        .join(" and ")}${beside}`,
    );
  }
  return lacking.join(", ") || "has what it needs";
}

/** What is known of the remotes that have to do with an operation, and how many more there are. */
function explainRemotes(
  machine: Machine,
  name: string,
  others: ReadonlyMap<string, Sharing>,
): { readonly listed: readonly RemoteInfo[]; readonly left: number } {
  const met = new Map(machine.obstacles.ofOperation(name).map((one) => [one.remoteIdentifier, one]));
  const found = new Map(others);
  for (const remote of met.keys()) {
    found.set(remote, "nothing");
  }
  for (const slot of machine.slots.ofOperation(name)) {
    found.set(slot.remoteIdentifier, sharingOf(slot));
  }
  const order = [...found].toSorted(
    ([, one], [, other]) => Number(one === "connected") - Number(other === "connected"),
  );
  const listed = order.slice(0, LISTED).map(([remote, sharing]): RemoteInfo => {
    const obstacle = met.get(remote);
    return {
      operationName: name,
      remoteIdentifier: remote,
      sharing,
      isSuspected: machine.peers.suspected.has(remote),
      kind: obstacle?.kind ?? "",
      reasons: obstacle === undefined ? [] : reasonsOf(obstacle, machine.role === "plugin"),
      count: obstacle?.count ?? 0,
    };
  });
  return { listed, left: order.length - listed.length };
}

/** Say in one line what an orbiter knows of a remote for an operation. */
export function sayRemote({ remoteIdentifier, sharing, isSuspected, reasons, count }: RemoteInfo): string {
  const remote = shortened(remoteIdentifier);
  if (sharing === "silent") {
    return `${remote} has announced it, was asked for it, and has not answered`;
  }
  if (sharing === "not offered") {
    return `${remote} has announced it, and answered without an offer of it: its log says why`;
  }
  const suspicion = isSuspected ? ", and suspected to be dead: its connection with the bus was cut" : "";
  const state = sharing === "nothing" ? remote : `${remote} is ${sharing}${suspicion}`;
  if (reasons.length === 0) {
    return state;
  }
  const often = count > 1 ? ` (${String(count)} times)` : "";
  return `${state}${sharing === "nothing" ? ": " : ", before that: "}${reasons.join("; ")}${often}`;
}

function sharingOf(slot: Slot): Sharing {
  return slot.isOpen ? "connected" : slot.isEnding ? "ending" : "under way";
}

/** What was in the way, without what hooks of the user have said: they know setup data. */
function reasonsOf(obstacle: Obstacle, isPlugin: boolean): readonly string[] {
  if (obstacle.kind === "preparation") {
    return ["it could not be prepared: its log says why"];
  }
  return obstacle.reasons(isPlugin);
}

function more(indent: string, count: number, noun: string): string[] {
  return count > 0 ? [`${indent}and ${counted(count, `more ${noun}`)}`] : [];
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}
