/**
 * Whether a topic that a remote names, and the topic on which it sends, may be believed.
 *
 * Every topic except those of discovers and announcements is told by the side that listens there. Our layout has
 * recipient and sender in levels of their own. So a topic that a remote tells in our layout is held against the remote,
 * and the sender of a message against the topic on which it arrived. A topic in a foreign layout is used as it is.
 */

import { CHANNELS, type Channel } from "../../../generated/typescript/channels.js";
import { IDENTIFIER_BYTES, TOLD_TOPIC_BYTES } from "../../../generated/typescript/limits.js";
import { RemoteProtocolError } from "../errors.js";
import { TopicError } from "../support/errors.js";
import { shown } from "../support/shown.js";
import { utf8Length } from "../support/text.js";
import { checkLevel, isUnpublishable, type TopicLayout } from "../support/topic.js";

import type { Headers } from "./headers.js";
import { otherRole, type Role } from "./transitions.js";

const ADDRESSES = Object.values(CHANNELS).map((channel: Channel) => channel.address);
/** How topics in our layout begin. A topic that begins so and is none of ours is a mistake or a trick. */
const ROOTS = new Set(
  ADDRESSES.filter((address) => address.includes("/") && !address.startsWith("{")).map((address) =>
    address.slice(0, address.indexOf("/") + 1),
  ),
);
/** The level of a topic that stands for a sender that is not known yet. */
const UNKNOWN_SENDER = "-";
const PLAIN = /^[A-Za-z0-9]+$/;

/** Whether a topic begins as those of our layout do. */
export function isInOurLayout(topic: string): boolean {
  return ROOTS.has(topic.slice(0, topic.indexOf("/") + 1));
}

/** What is known of the levels of a topic that a remote tells. */
export interface ToldLevels {
  /** The levels after recipient and sender, where they are known to be good; none where there are no more. */
  readonly levels?: Readonly<Record<string, string>> | null;
  /** Whether the sender's level may be left open. */
  readonly isToldToAnybody?: boolean;
}

/** Match all topics in our layout that say who sends; the group that matches is the sender. */
function senderPattern(remote: Role): RegExp {
  const senders = ["{sender_identifier}", `{${remote}_identifier}`];
  const alternatives = ADDRESSES.filter((address) => senders.some((sender) => address.includes(sender))).map(
    (address) =>
      address
        .split("/")
        .map((level) => (senders.includes(level) ? "([^/]*)" : level.startsWith("{") ? "[^/]*" : escaped(level)))
        .join("/"),
  );
  return new RegExp(`^(?:${alternatives.join("|")})$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");
}

const SENDER: Readonly<Record<Role, RegExp>> = { core: senderPattern("core"), plugin: senderPattern("plugin") };

/** Checks what one orbiter is told. */
export class TopicResolver {
  readonly #sender: RegExp;

  constructor(
    private readonly role: Role,
    private readonly identifier: string,
  ) {
    this.#sender = SENDER[otherRole(role)];
  }

  /** Throw a `RemoteProtocolError` for an identifier that cannot be a level of a topic. */
  checkIdentifier(remoteIdentifier: string): void {
    try {
      if (remoteIdentifier === UNKNOWN_SENDER) {
        throw new TopicError("remote_identifier", remoteIdentifier, "it stands for one that is not known");
      }
      checkLevel("remote_identifier", remoteIdentifier, IDENTIFIER_BYTES);
    } catch (error) {
      throw refused(error, "a remote gives an identifier that cannot be used");
    }
  }

  /**
   * Hold the headers of an event, and the sender that its message gives, against the topic it arrived on.
   *
   * Returns whether the topic is in our layout, and the sender alone may publish to it.
   *
   * Throws a `RemoteProtocolError` if a header is longer than any identifier, or cannot be used as one; or if the topic
   * is in our layout, and names another sender than the message. Only a peer that sends no headers may leave the
   * sender's level of a topic as it was told.
   */
  checkEvent(topic: string, remoteIdentifier: string, headers: Headers): boolean {
    checkLengths(remoteIdentifier, headers);
    const connection = headers.connectionIdentifier;
    if (connection !== null && !PLAIN.test(connection)) {
      checkConnectionIdentifier(remoteIdentifier, connection);
    }
    const matched = this.#sender.exec(topic);
    const sender = matched?.slice(1).find((group: string | undefined) => group !== undefined);
    if (sender === undefined) {
      return false;
    }
    if (sender === remoteIdentifier) {
      return true;
    }
    if (sender !== UNKNOWN_SENDER || headers.incarnation !== null) {
      throw new RemoteProtocolError(
        `a message claims to come from '${remoteIdentifier}', but arrived on topic ${shown(topic)}, ` +
          `which is for '${sender}' to publish to`,
      );
    }
    return false;
  }

  /**
   * Return the topic to publish to, for a topic of a channel that a remote told.
   *
   * In our layout the sender's level is this orbiter's identifier afterwards, also where it was not known yet. With
   * levels that are known to be good this takes less time.
   *
   * Throws a `RemoteProtocolError` if the topic cannot be published to, or if it is in our layout and is no topic of
   * that channel from this orbiter to that remote.
   */
  resolve<Parameters extends object>(
    layout: TopicLayout<Parameters>,
    remoteIdentifier: string,
    topic: string,
    told: ToldLevels = {},
  ): string {
    const levels = told.levels === undefined ? {} : told.levels;
    if (levels !== null) {
      const expected = this.#joined(layout, remoteIdentifier, this.identifier, levels);
      if (topic === expected) {
        return topic;
      }
      if (told.isToldToAnybody === true && topic === this.#joined(layout, remoteIdentifier, UNKNOWN_SENDER, levels)) {
        return expected;
      }
    }
    // Characters first: a long text is not worth a walk through it.
    if (topic.length > TOLD_TOPIC_BYTES || utf8Length(topic) > TOLD_TOPIC_BYTES) {
      throw unpublishable(remoteIdentifier, `it is longer than ${TOLD_TOPIC_BYTES} bytes`);
    }
    let parsed: Parameters;
    try {
      parsed = layout.parse(topic);
    } catch (error) {
      if (error instanceof TopicError && !isInOurLayout(topic)) {
        return publishable(remoteIdentifier, topic);
      }
      throw refused(error, `remote '${remoteIdentifier}' told topic ${shown(topic)}`);
    }
    return layout.build(this.#completed(parsed, remoteIdentifier, topic));
  }

  /** Build a topic of levels that are known to be good. */
  #joined<Parameters extends object>(
    layout: TopicLayout<Parameters>,
    remoteIdentifier: string,
    sender: string,
    levels: Readonly<Record<string, string>>,
  ): string {
    return layout.join({ ...this.#sides(remoteIdentifier, sender), ...levels } as unknown as Parameters);
  }

  /** What the levels of recipient and sender have to be, by their properties. */
  #sides(remoteIdentifier: string, sender: string): Readonly<Record<string, string>> {
    return {
      [`${this.role}Identifier`]: sender,
      [`${otherRole(this.role)}Identifier`]: remoteIdentifier,
      recipientIdentifier: remoteIdentifier,
      senderIdentifier: sender,
    };
  }

  #completed<Parameters extends object>(parsed: Parameters, remoteIdentifier: string, topic: string): Parameters {
    const wanted = this.#sides(remoteIdentifier, this.identifier);
    const entries = Object.entries(parsed as Readonly<Record<string, string | null>>).map(([property, value]) => {
      const expected = wanted[property];
      if (expected !== undefined && value !== null && value !== expected) {
        throw new RemoteProtocolError(
          `remote '${remoteIdentifier}' told topic ${shown(topic)}: expected ${property} '${expected}', got '${value}'`,
        );
      }
      return [property, expected ?? value] as const;
    });
    return Object.fromEntries(entries) as Parameters;
  }
}

function checkLengths(remoteIdentifier: string, headers: Headers): void {
  const isOlder = headers.incarnation === null;
  const checked: readonly (readonly [string, string | null])[] = [
    ["identifier", headers.identifier],
    isOlder ? ["publisher_identifier", headers.publisherIdentifier] : ["incarnation", headers.incarnation],
    ["correlation_identifier", headers.correlationIdentifier],
    ["connection_identifier", headers.connectionIdentifier],
  ];
  for (const [header, value] of checked) {
    if (value !== null && value.length > IDENTIFIER_BYTES) {
      throw new RemoteProtocolError(
        `remote '${remoteIdentifier}' sent an event whose ${header} is ${value.length} characters long, ` +
          `${IDENTIFIER_BYTES} are allowed`,
      );
    }
  }
}

function checkConnectionIdentifier(remoteIdentifier: string, connectionIdentifier: string): void {
  try {
    checkLevel("connection_identifier", connectionIdentifier, IDENTIFIER_BYTES);
  } catch (error) {
    throw refused(error, `remote '${remoteIdentifier}' sent a header that cannot be used`);
  }
}

/** What is thrown in the place of an error of a topic. */
function refused(error: unknown, what: string): unknown {
  return error instanceof TopicError ? new RemoteProtocolError(`${what}: ${error.message}`) : error;
}

function publishable(remoteIdentifier: string, topic: string): string {
  if (topic === "") {
    throw unpublishable(remoteIdentifier, "it is empty");
  }
  if (/[+#]/.test(topic)) {
    throw unpublishable(remoteIdentifier, "it contains a wildcard");
  }
  if (isUnpublishable(topic)) {
    throw unpublishable(remoteIdentifier, "it contains a character that no topic may contain");
  }
  return topic;
}

function unpublishable(remoteIdentifier: string, reason: string): RemoteProtocolError {
  return new RemoteProtocolError(`remote '${remoteIdentifier}' told a topic that cannot be published to: ${reason}`);
}
