/**
 * Wills: what follows when the broker says that a remote's connection was cut.
 *
 * A will is no proof of death. Brokers send those of all clients when they are stopped, when a client takes its own
 * earlier connection over, and when a link is down for a moment. So a will only makes the remote suspected: it is asked
 * for a keepalive, several times since a request is lost on a remote that is about to connect again, and it is dead if it
 * gives no sign of life.
 */

import type { OrbiterConfig } from "./config.js";
import { Deadlines } from "./deadlines.js";
import type { Headers } from "./headers.js";
import type { Liveness } from "./liveness.js";
import type { MessageOf } from "./messages.js";
import type { Outbox } from "./outbox.js";
import type { Peer, Peers } from "./peers.js";

/** Keepalive requests within the grace. */
const REQUESTS = 4;
/**
 * Seconds by which a look at a suspicion may be late; one that is later says that this orbiter was held up itself, and
 * answers may wait that it has not read.
 */
const HELD_UP = 0.25;

/** One remote that is suspected, or was a moment ago. Times are seconds on the clock of the machine's caller. */
export interface Suspicion {
  readonly peer: Peer;
  /** Keepalive requests that it has had time to answer, or has still. */
  asked: number;
  /** When it is looked at next, and asked again. */
  lookAt: number;
}

/** Suspects remotes whose will comes, and takes those for dead that stay silent. */
export class Suspicions {
  /** When something is due next. */
  readonly deadlines = new Deadlines<Suspicion>();
  /** By remote: suspicions that are to be looked at again, settled ones as well until then. */
  readonly recent = new Map<string, Suspicion>();
  /** Remotes whose will is listened for. */
  readonly #watched = new Set<string>();

  constructor(
    private config: OrbiterConfig,
    private readonly peers: Peers,
    private readonly liveness: Liveness,
    private readonly outbox: Outbox,
  ) {}

  /** Take a new snapshot; listen for wills from now on, or no more. */
  configure(config: OrbiterConfig): void {
    const before = this.config;
    this.config = config;
    if (config.suspicionGrace === null) {
      for (const remote of [...this.#watched]) {
        this.#unwatch(remote);
      }
    } else if (before.suspicionGrace === null) {
      for (const peer of this.peers.all()) {
        this.connected(peer.identifier);
      }
    }
  }

  /** Listen for the will of a remote with which there is a connection, if that was not done before. */
  connected(remoteIdentifier: string): void {
    const peer = this.peers.get(remoteIdentifier);
    if (peer !== undefined && peer.connections > 0 && peer.sendsHeaders && !this.#watched.has(remoteIdentifier)) {
      this.#watched.add(remoteIdentifier);
      this.outbox.add({ kind: "watchWill", remoteIdentifier, isWanted: true });
    }
  }

  /** Listen for the will of a remote no more if there is no connection with it. */
  disconnected(remoteIdentifier: string): void {
    const connections = this.peers.get(remoteIdentifier)?.connections ?? 0;
    if (this.#watched.has(remoteIdentifier) && connections === 0) {
      this.#unwatch(remoteIdentifier);
    }
  }

  /**
   * Suspect a remote, if the will is of its current incarnation; it is no sign of life.
   *
   * However many wills there are in its name, it is asked once in a part of the grace.
   */
  onWill(message: MessageOf<"WillMessage">, headers: Headers, now: number): void {
    const remote = message.fields.fromIdentifier;
    const peer = this.peers.get(remote);
    if (
      !this.#watched.has(remote) ||
      this.peers.suspected.has(remote) ||
      peer === undefined ||
      headers.incarnation === null ||
      headers.incarnation !== peer.incarnation
    ) {
      return;
    }
    const before = this.recent.get(remote);
    const suspicion = before ?? { peer, asked: 1, lookAt: 0 };
    this.recent.set(remote, suspicion);
    this.peers.suspected.set(remote, suspicion);
    this.#tell(remote, true);
    if (before === undefined) {
      this.#ask(suspicion, now);
    } else {
      before.asked = 0;
    }
  }

  /** Ask those again that are suspected, and take those for dead that have been silent for the grace. */
  doDue(now: number): void {
    for (const suspicion of this.deadlines.popDue(now)) {
      const remote = suspicion.peer.identifier;
      const isInTime = now < suspicion.lookAt + HELD_UP;
      if (this.peers.suspected.get(remote) !== suspicion) {
        this.recent.delete(remote);
        this.#tell(remote, false);
      } else if (suspicion.asked >= REQUESTS && isInTime) {
        this.recent.delete(remote);
        this.peers.suspected.delete(remote);
        this.liveness.lose(suspicion.peer);
      } else {
        suspicion.asked += isInTime ? 1 : 0;
        this.#ask(suspicion, now);
      }
    }
  }

  /** Suspect remotes no more: the bus by which their wills came was lost, and may have sent them as it ended. */
  cancel(remoteIdentifiers: Iterable<string>): void {
    for (const remote of remoteIdentifiers) {
      const suspicion = this.recent.get(remote);
      if (suspicion !== undefined) {
        this.recent.delete(remote);
        this.deadlines.discard(suspicion);
      }
      if (this.peers.suspected.delete(remote)) {
        this.#tell(remote, false);
      }
    }
  }

  /** Watch and suspect nobody. */
  clear(): void {
    this.#watched.clear();
    this.recent.clear();
    this.deadlines.clear();
  }

  #unwatch(remoteIdentifier: string): void {
    this.#watched.delete(remoteIdentifier);
    this.outbox.add({ kind: "watchWill", remoteIdentifier, isWanted: false });
    this.cancel([remoteIdentifier]);
  }

  #tell(remoteIdentifier: string, isSuspected: boolean): void {
    this.outbox.add({ kind: "suspicionChanged", remoteIdentifier, isSuspected });
  }

  #ask(suspicion: Suspicion, now: number): void {
    // Where there is no grace, nobody is watched.
    const grace = this.config.suspicionGrace ?? 0;
    this.liveness.sendKeepaliveRequest(suspicion.peer, now);
    suspicion.lookAt = now + grace / REQUESTS;
    this.deadlines.set(suspicion, suspicion.lookAt);
  }
}
