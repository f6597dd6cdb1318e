/** All orbiters of a bus, as they are now: asks them, hears of their ends, and tells when something has changed. */

import { lacksOf, type Known, type Lack } from "./compliance.js";
import { LOUD_KINDS, QUIET_KINDS, Traffic, type Passed } from "./traffic.js";
import type { Settings } from "./settings.js";
import {
  connectMqtt,
  Operator,
  type ConnectionsAnswer,
  type InfoAnswer,
  type PongAnswer,
  type StatisticsAnswer,
} from "../../src/index.js";

/**
 * How an orbiter is.
 *
 * It is `present` while it answers, and `suspected` when its connection was cut or it has not answered once. When it
 * answers no more, it is `dead` if its connection was cut, and otherwise `silent`: nobody has said whether it has left,
 * hangs, or is cut off.
 */
export type Standing = "present" | "suspected" | "dead" | "silent";

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
  /** What a core is missing; `null` for a plugin, and while it is not known. */
  readonly lacks: readonly Lack[] | null;
}

/** How the page is connected with the bus. */
export interface Link {
  readonly isUp: boolean;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  readonly problem: string | null;
}

const SECOND = 1000;
const PING_EVERY = 1.5;
/** Seconds that one has whose connection was cut. */
const GRACE = 1.5;
/** Seconds without an answer after which one is suspected: a busy machine takes its time. */
const SUSPECTED_AFTER = 2.8;
/** Seconds without an answer after which one is gone. */
const GONE_AFTER = 8;
const CONNECTIONS_EVERY = 4;
const STATISTICS_EVERY = 4;
const INFO_EVERY = 20;
/** Seconds between two questions of one kind while nobody sees the page. */
const UNSEEN_EVERY = 15;
const RECONNECT_AFTER = 2;
/** Seconds for which answers are taken; a busy machine takes its time. */
const WITHIN = 5;
const SPREAD = 0.2;
/** Seconds between two questions to all of one kind, at least. */
const PAUSE = 2;
/** So many that change at once are asked together. */
const TOGETHER = 8;
const SETTLED_AFTER = 250;
/** For how many milliseconds one is shown that has ended. */
const FORGOTTEN_AFTER = 600_000;
/** How many pairs of orbiters are kept: a stranger can invent any number of names. */
const MOST_WAYS = 10_000;

/** Watches all orbiters of a bus. */
export class Fleet {
  readonly members = new Map<string, Member>();
  readonly traffic: Traffic;
  link: Link = { isUp: false, since: Date.now(), problem: null };
  /** When an event has last passed between two orbiters, by `sender recipient`, in milliseconds since 1970. */
  readonly lastPassed = new Map<string, number>();
  readonly #settings: Settings;
  readonly #changed: () => void;
  readonly #toAsk = new Set<string>();
  /** When one has answered last, in milliseconds since the page was opened. */
  readonly #heardAt = new Map<string, number>();
  #operator: Operator | null = null;
  #judgedAt = performance.now();
  #askedAllAt = -Infinity;
  #askTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(settings: Settings, changed: () => void) {
    this.#settings = settings;
    this.#changed = changed;
    this.traffic = new Traffic((passed) => this.#passed(passed));
  }

  /** Connect with the bus, and go on trying where that fails. */
  async start(): Promise<void> {
    for (;;) {
      const bus = connectMqtt(this.#settings.webSocket("operator"), { others: { timerVariant: "native" } });
      const operator = new Operator({
        identifier: this.#settings.operator,
        bus,
        onLost: () => this.#linked(false, "the connection with the bus was lost"),
        onReconnected: () => this.#linked(true, null),
      });
      try {
        await operator.start();
        await this.traffic.listen(bus, LOUD_KINDS);
        this.#operator = operator;
        break;
      } catch (error) {
        this.#linked(false, error instanceof Error ? error.message : String(error));
        await operator.stop().catch(() => undefined);
        await pause(RECONNECT_AFTER);
      }
    }
    this.#linked(true, null);
    this.#ping();
    this.#ask(null);
    this.#repeat(PING_EVERY, PING_EVERY, () => this.#ping());
    this.#repeat(CONNECTIONS_EVERY, UNSEEN_EVERY, () => this.#askConnections(null));
    this.#repeat(STATISTICS_EVERY, UNSEEN_EVERY, () => this.#askStatistics(null));
    this.#repeat(INFO_EVERY, UNSEEN_EVERY, () => this.#askInfo(null));
  }

  /** Show signs of life among the events, or do so no more. */
  async showSignsOfLife(areShown: boolean): Promise<void> {
    const bus = this.#operator?.bus;
    if (bus !== undefined) {
      await (areShown ? this.traffic.listen(bus, QUIET_KINDS) : this.traffic.ignore(bus, QUIET_KINDS));
    }
  }

  /** Ask one orbiter for everything now. */
  refresh(identifier: string): void {
    this.#toAsk.add(identifier);
    if (this.#askTimer === null) {
      this.#askTimer = setTimeout(() => this.#askNow(), SETTLED_AFTER);
    }
  }

  /** Show those no more that have ended. */
  forgetEnded(): void {
    for (const [identifier, { standing }] of this.members) {
      if (standing === "dead" || standing === "silent") {
        this.members.delete(identifier);
      }
    }
    this.#changed();
  }

  #repeat(every: number, unseen: number, work: () => void): void {
    const loop = async (): Promise<void> => {
      for (;;) {
        await pause(document.hidden ? unseen : every);
        if (this.link.isUp) {
          work();
        }
      }
    };
    void loop();
  }

  #linked(isUp: boolean, problem: string | null): void {
    const since = this.link.isUp === isUp && this.link.problem !== null ? this.link.since : Date.now();
    this.link = { isUp, since, problem };
    if (isUp) {
      for (const identifier of this.members.keys()) {
        this.refresh(identifier);
      }
    }
    this.#changed();
  }

  #update(identifier: string, changes: Partial<Member>): void {
    const before = this.members.get(identifier) ?? unknown(identifier);
    const after = { ...before, ...changes };
    if (after.standing !== before.standing) {
      after.standingSince = Date.now();
    }
    after.isThere = after.standing === "present" || after.standing === "suspected";
    this.members.set(identifier, after);
  }

  // Who is there

  #ping(): void {
    const begun = performance.now();
    this.#operator
      ?.ping({ within: WITHIN, spread: SPREAD, onAnswer: (pong) => this.#heard(pong) })
      .then((found) => {
        for (const { identifier, namesakes } of found.values()) {
          this.#update(identifier, { namesakes });
        }
      })
      .catch(() => undefined); // it is asked again
    if (performance.now() - this.#judgedAt > SECOND * (SUSPECTED_AFTER + 1)) {
      // The page has slept, or the bus was away: nobody could be heard, and all have to be given time again.
      for (const identifier of this.members.keys()) {
        this.#heardAt.set(identifier, begun);
      }
    }
    this.#judgedAt = performance.now();
    if (this.link.isUp) {
      this.#judgeSilence();
    }
    this.#forget();
    this.#changed();
  }

  #heard(pong: PongAnswer): void {
    const before = this.members.get(pong.identifier);
    const isNew = before === undefined || before.info === null;
    const hasRestarted = before?.incarnation != null && before.incarnation !== pong.incarnation;
    const isBack = before !== undefined && !before.isThere;
    this.#heardAt.set(pong.identifier, performance.now());
    this.#update(pong.identifier, {
      role: pong.role,
      standing: "present",
      hasWill: false,
      incarnation: pong.incarnation,
      roundTrip: pong.seconds,
      restarts: (before?.restarts ?? 0) + (hasRestarted ? 1 : 0),
    });
    if (isNew || hasRestarted || isBack) {
      this.refresh(pong.identifier);
      this.#changed();
    }
  }

  #judgeSilence(): void {
    const now = performance.now();
    for (const { identifier, isThere, hasWill } of [...this.members.values()]) {
      const silence = (now - (this.#heardAt.get(identifier) ?? now)) / SECOND;
      if (isThere && !hasWill && silence > SUSPECTED_AFTER) {
        this.#update(identifier, { standing: silence > GONE_AFTER ? "silent" : "suspected" });
        if (silence > GONE_AFTER) {
          this.#refreshRemotesOf(identifier);
        }
      }
    }
  }

  /** Give one a last chance whose will has come. */
  async #suspect(identifier: string): Promise<void> {
    const member = this.members.get(identifier);
    if (member === undefined || !member.isThere || member.hasWill) {
      return;
    }
    this.#update(identifier, { standing: "suspected", hasWill: true });
    this.#changed();
    const found = await this.#operator?.ping({ orbiter: identifier, within: GRACE });
    const pong = found?.get(identifier);
    if (pong !== undefined) {
      this.#heard(pong);
    } else if (this.members.get(identifier)?.hasWill === true) {
      this.#update(identifier, { standing: "dead" });
      this.#refreshRemotesOf(identifier);
    }
    this.#changed();
  }

  #refreshRemotesOf(identifier: string): void {
    for (const one of this.members.values()) {
      if (one.isThere && one.connections?.connections.some((other) => other.remoteIdentifier === identifier) === true) {
        this.refresh(one.identifier);
      }
    }
  }

  #forget(): void {
    const now = Date.now();
    for (const [identifier, { isThere, standingSince }] of this.members) {
      if (!isThere && now - standingSince > FORGOTTEN_AFTER) {
        this.members.delete(identifier);
      }
    }
    for (const [way, at] of this.lastPassed) {
      if (now - at > FORGOTTEN_AFTER) {
        this.lastPassed.delete(way);
      }
    }
  }

  // What they are and do

  #askChanged(): void {
    const identifiers = [...this.#toAsk];
    this.#toAsk.clear();
    if (!this.link.isUp) {
      return;
    }
    if (identifiers.length <= TOGETHER) {
      for (const orbiter of identifiers) {
        this.#ask(orbiter);
      }
    } else if (performance.now() - this.#askedAllAt > SECOND * PAUSE) {
      this.#ask(null);
    } else {
      // Not more often than that: the questions wait, and those that come until then go with them.
      for (const identifier of identifiers) {
        this.#toAsk.add(identifier);
      }
      this.#askTimer = setTimeout(() => this.#askNow(), SECOND * PAUSE);
    }
  }

  #askNow(): void {
    this.#askTimer = null;
    this.#askChanged();
  }

  /** Ask an orbiter, or all, for everything. */
  #ask(orbiter: string | null): void {
    if (orbiter === null) {
      this.#askedAllAt = performance.now();
    }
    this.#askInfo(orbiter);
    this.#askConnections(orbiter);
    this.#askStatistics(orbiter);
  }

  // A question that fails is asked again.

  #askInfo(orbiter: string | null): void {
    const asking = { ...whom(orbiter), onAnswer: (one: InfoAnswer): void => this.#informed(one) };
    this.#operator?.info(asking).catch(() => undefined);
  }

  #askConnections(orbiter: string | null): void {
    const asking = { ...whom(orbiter), onAnswer: (one: ConnectionsAnswer): void => this.#connected(one) };
    this.#operator?.connections(asking).catch(() => undefined);
  }

  #askStatistics(orbiter: string | null): void {
    const asking = { ...whom(orbiter), onAnswer: (one: StatisticsAnswer): void => this.#counted(one) };
    this.#operator?.statistics(asking).catch(() => undefined);
  }

  #informed(info: InfoAnswer): void {
    this.traffic.learn(info);
    this.#update(info.identifier, { info, role: info.role });
    this.#changed();
  }

  #connected(connections: ConnectionsAnswer): void {
    this.#update(connections.identifier, { connections });
    this.#changed();
  }

  #counted(statistics: StatisticsAnswer): void {
    const before = this.members.get(statistics.identifier)?.statistics ?? null;
    this.#update(statistics.identifier, { statistics, rate: rateOf(before, statistics) });
    this.#changed();
  }

  /** Work out what cores are missing, before it is shown. */
  judge(): void {
    for (const [identifier, { role, info, connections, isThere }] of this.members) {
      const isJudged = role === "core" && isThere && info !== null && connections !== null;
      const lacks = isJudged ? lacksOf(info, connections, this.members) : null;
      this.#update(identifier, { lacks });
    }
  }

  // What passes

  #passed(passed: Passed): void {
    const { kind, sender, recipient } = passed;
    const way = `${sender ?? ""} ${recipient ?? ""}`;
    this.lastPassed.delete(way);
    this.lastPassed.set(way, passed.at);
    if (this.lastPassed.size > MOST_WAYS) {
      // The one of which nothing has been heard for longest.
      const [oldest = way] = this.lastPassed.keys();
      this.lastPassed.delete(oldest);
    }
    if (kind === "will" && sender !== null) {
      void this.#suspect(sender).catch(() => undefined);
    } else if (CHANGES.has(kind)) {
      for (const one of [sender, recipient]) {
        if (one !== null && this.members.has(one)) {
          this.refresh(one);
        }
      }
    }
    this.#changed();
  }
}

/** Kinds of events after which connections are others. */
const CHANGES: ReadonlySet<string> = new Set(["reply", "response", "close", "closeAck"]);

function unknown(identifier: string): Member {
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

function rateOf(before: StatisticsAnswer | null, after: StatisticsAnswer): number | null {
  if (before?.incarnation !== after.incarnation) {
    return null;
  }
  const seconds = Number(after.answeredAt - before.answeredAt) / 1e6;
  const executions = (executionsOf(after) ?? 0) - (executionsOf(before) ?? 0);
  return seconds > 0 ? Math.max(0, executions / seconds) : null;
}

function whom(orbiter: string | null): { orbiter?: string; within: number; spread?: number } {
  return orbiter === null ? { within: WITHIN, spread: SPREAD } : { orbiter, within: WITHIN };
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SECOND * seconds));
}
