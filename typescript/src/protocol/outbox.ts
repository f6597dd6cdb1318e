/** Effects on their way from a machine to its caller. */

import { CHANNELS, type Channel } from "../../../generated/typescript/channels.js";
import { Encoding } from "../../../generated/typescript/envelope.js";

import type { Effect, Send } from "./effects.js";
import type { ProtocolMessage, ProtocolMessageType } from "./messages.js";
import type { Challenge, Peer, Peers } from "./peers.js";

const CHANNEL_OF: ReadonlyMap<string, Channel> = new Map(
  Object.values(CHANNELS).flatMap((channel: Channel) => channel.messages.map((type) => [type, channel] as const)),
);
/** Events to one peer whose answers are known again; before those, it had time enough to answer. */
const CHALLENGES_OF_PEER = 8;
/** The same for discovers to everyone: those of `CHALLENGE_ANSWERED_WITHIN`, and more. */
const CHALLENGES_TO_ALL = 256;

/** What goes along with a message; what is left out is null, or worked out. */
export type SendOptions = Partial<
  Pick<
    Send,
    | "channel"
    | "eventIdentifier"
    | "correlationIdentifier"
    | "connectionIdentifier"
    | "openConnections"
    | "lateOffers"
    | "replacesEarlier"
    | "encoding"
  >
>;

/** Collects the effects of one call of a machine, and addresses its messages. */
export class Outbox {
  /** The last events to everyone whose answer proves an incarnation, the oldest first. */
  readonly challenges = new Map<string, Challenge>();
  /** What is wanted, in order. */
  effects: Effect[] = [];

  constructor(
    private readonly peers: Peers,
    private readonly identifiers: { newIdentifier(): string; newChallenge(): string },
  ) {}

  /** Give an identifier that is new. */
  newIdentifier(): string {
    return this.identifiers.newIdentifier();
  }

  /** Want one more thing done, after all others. */
  add(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Want the user to be told of a message that counts. */
  received(remoteIdentifier: string, message: ProtocolMessage): void {
    this.effects.push({ kind: "messageReceived", remoteIdentifier, message });
  }

  /** Want a message published; by default on the channel that carries it, in an encoding that the remote reads. */
  send(remoteIdentifier: string | null, topic: string, message: ProtocolMessage, options: SendOptions = {}): void {
    this.effects.push({
      kind: "send",
      remoteIdentifier,
      topic,
      channel: options.channel ?? channelOf(message.type),
      message,
      eventIdentifier: options.eventIdentifier ?? this.newIdentifier(),
      encoding: options.encoding ?? this.#encodingFor(remoteIdentifier),
      correlationIdentifier: options.correlationIdentifier ?? null,
      connectionIdentifier: options.connectionIdentifier === "" ? null : (options.connectionIdentifier ?? null),
      openConnections: options.openConnections ?? null,
      lateOffers: options.lateOffers ?? null,
      replacesEarlier: options.replacesEarlier ?? false,
    });
  }

  #encodingFor(remoteIdentifier: string | null): Encoding {
    const peer = remoteIdentifier === null ? undefined : this.peers.get(remoteIdentifier);
    return peer?.encoding ?? Encoding.JSON;
  }

  /**
   * Return an identifier, which cannot be guessed, for an event to a peer whose answer will prove who it is.
   *
   * To a remote that is not known, nobody has to prove anything.
   */
  challenge(peer: Peer | undefined, type: ProtocolMessageType, now: number): string {
    const identifier = this.identifiers.newChallenge();
    if (peer !== undefined) {
      peer.challenges = [...peer.challenges.slice(1 - CHALLENGES_OF_PEER), { identifier, type, sentAt: now }];
    }
    return identifier;
  }

  /** Do as `challenge` for an event to everyone. */
  challengeAll(type: ProtocolMessageType, now: number): string {
    const identifier = this.identifiers.newChallenge();
    this.challenges.set(identifier, { identifier, type, sentAt: now });
    if (this.challenges.size > CHALLENGES_TO_ALL) {
      for (const oldest of this.challenges.keys()) {
        this.challenges.delete(oldest);
        break;
      }
    }
    return identifier;
  }

  /** Return all effects, in order, and start anew. */
  take(): Effect[] {
    const taken = this.effects;
    this.effects = [];
    return taken;
  }
}

function channelOf(type: ProtocolMessageType): Channel {
  const channel = CHANNEL_OF.get(type);
  if (channel === undefined) {
    throw new TypeError(`no channel carries ${type}`);
  }
  return channel;
}
