/** All orbiters of a bus, as they are now: asks them, hears of their ends, and tells when something has changed. */

import { problemOf, type Link } from "./link.js";
import { rateOf } from "./member.js";
import { Members } from "./members.js";
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
const DIAGNOSED_EVERY = 1;
const CONNECTING = "the broker has not answered yet";
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
  readonly members = new Members();
  /** How many have answered last for which there is no room. */
  leftOut = 0;
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
  #isDiagnosing = false;
  /** What the page has seen of the connection that it lacks. */
  #seen = CONNECTING;
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
    void this.#diagnose();
    for (;;) {
      const bus = connectMqtt(this.#settings.webSocket("operator"), { others: { timerVariant: "native" } });
      const operator = new Operator({
        identifier: this.#settings.operator,
        bus,
        onLost: () => {
          this.#seen = "the broker has closed the connection, or cannot be reached any more";
          this.#linked(false);
        },
        onReconnected: () => this.#linked(true),
      });
      try {
        await operator.start();
        await this.traffic.listen(bus, LOUD_KINDS);
        this.#operator = operator;
        break;
      } catch (error) {
        this.#seen = error instanceof Error ? error.message : String(error);
        await operator.stop().catch(() => undefined);
        await pause(RECONNECT_AFTER);
      }
    }
    this.#linked(true);
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
    for (const { identifier, standing } of this.members.values()) {
      if (standing === "dead" || standing === "silent") {
        this.#drop(identifier);
      }
    }
    this.#changed();
  }

  #drop(identifier: string): void {
    this.members.delete(identifier);
    this.#heardAt.delete(identifier);
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

  #linked(isUp: boolean): void {
    if (this.link.isUp !== isUp) {
      this.link = { isUp, since: Date.now(), problem: null };
    }
    if (isUp) {
      for (const { identifier } of this.members.values()) {
        this.refresh(identifier);
      }
      this.#ping();
    } else {
      void this.#diagnose();
    }
    this.#changed();
  }

  #isCut(): boolean {
    return !this.link.isUp;
  }

  /** Find out what is wrong with the connection, until it is back. */
  async #diagnose(): Promise<void> {
    if (this.#isDiagnosing) {
      return;
    }
    this.#isDiagnosing = true;
    while (this.#isCut()) {
      const problem = await problemOf(this.#settings, this.#seen);
      // It may be back by now.
      if (this.#isCut()) {
        this.link = { ...this.link, problem };
        this.#changed();
        await pause(DIAGNOSED_EVERY);
      }
    }
    this.#isDiagnosing = false;
  }

  // Who is there

  #ping(): void {
    const begun = performance.now();
    this.#operator
      ?.ping({ within: WITHIN, spread: SPREAD, onAnswer: (pong) => this.#heard(pong) })
      .then((found) => {
        const answered = [...found.values()].filter(({ identifier }) => this.members.get(identifier) !== undefined);
        for (const { identifier, namesakes } of answered) {
          this.members.update(identifier, { namesakes });
        }
        this.leftOut = found.size - answered.length;
      })
      .catch(() => undefined); // it is asked again
    if (performance.now() - this.#judgedAt > SECOND * (SUSPECTED_AFTER + 1)) {
      // The page has slept, or the bus was away: nobody could be heard, and all have to be given time again.
      for (const { identifier } of this.members.values()) {
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
    const isKept = this.members.update(pong.identifier, {
      role: pong.role,
      standing: "present",
      hasWill: false,
      incarnation: pong.incarnation,
      roundTrip: pong.seconds,
      restarts: (before?.restarts ?? 0) + (hasRestarted ? 1 : 0),
    });
    if (!isKept) {
      return;
    }
    this.#heardAt.set(pong.identifier, performance.now());
    if (isNew || hasRestarted || isBack) {
      this.refresh(pong.identifier);
      this.#changed();
    }
  }

  #judgeSilence(): void {
    const now = performance.now();
    for (const { identifier, isThere, hasWill } of this.members.values()) {
      const silence = (now - (this.#heardAt.get(identifier) ?? now)) / SECOND;
      if (isThere && !hasWill && silence > SUSPECTED_AFTER) {
        this.members.update(identifier, { standing: silence > GONE_AFTER ? "silent" : "suspected" });
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
    this.members.update(identifier, { standing: "suspected", hasWill: true });
    this.#changed();
    const { since } = this.link;
    const found = await this.#operator?.ping({ orbiter: identifier, within: GRACE });
    const pong = found?.get(identifier);
    if (pong !== undefined) {
      this.#heard(pong);
    } else if (!this.link.isUp || this.link.since !== since) {
      // The broker ends, and publishes the wills of all: nobody was asked, and silence says the rest.
      this.members.update(identifier, { hasWill: false });
    } else if (this.members.get(identifier)?.hasWill === true) {
      this.members.update(identifier, { standing: "dead" });
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
    for (const { identifier, isThere, standingSince } of this.members.values()) {
      if (!isThere && now - standingSince > FORGOTTEN_AFTER) {
        this.#drop(identifier);
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
    this.members.update(info.identifier, { role: info.role });
    this.members.tell(info.identifier, "info", info);
    // Of what is kept, since the schemas of that are known.
    const kept = this.members.get(info.identifier)?.info ?? null;
    if (kept !== null) {
      this.traffic.learn(kept);
    }
    this.#changed();
  }

  #connected(connections: ConnectionsAnswer): void {
    this.members.tell(connections.identifier, "connections", connections);
    this.#changed();
  }

  #counted(statistics: StatisticsAnswer): void {
    const before = this.members.get(statistics.identifier)?.statistics ?? null;
    this.members.update(statistics.identifier, { rate: rateOf(before, statistics) });
    this.members.tell(statistics.identifier, "statistics", statistics);
    this.#changed();
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
        if (one !== null && this.members.get(one) !== undefined) {
          this.refresh(one);
        }
      }
    }
    this.#changed();
  }
}

/** Kinds of events after which connections are others. */
const CHANGES: ReadonlySet<string> = new Set(["reply", "response", "close", "closeAck"]);

function whom(orbiter: string | null): { orbiter?: string; within: number; spread?: number } {
  return orbiter === null ? { within: WITHIN, spread: SPREAD } : { orbiter, within: WITHIN };
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SECOND * seconds));
}
