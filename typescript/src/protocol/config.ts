/**
 * What a machine reads of its user: a snapshot that does not change, handed in by `configure`.
 *
 * Durations are seconds; `null` switches a duration's consequence off.
 */

import { ANNOUNCE, DISCOVER } from "../../../generated/typescript/channels.js";
import * as timings from "../../../generated/typescript/timings.js";
import {
  CloseAckTopic,
  CloseTopic,
  DirectedDiscoverTopic,
  KeepaliveRequestTopic,
  KeepaliveTopic,
  OfferTopic,
  OperationInputTopic,
  OperationOutputTopic,
  ReplyTopic,
  ResponseTopic,
} from "../../../generated/typescript/topics.js";
import type { SchemaSet } from "../schema/schema-set.js";

import { limitsOf, type Limits } from "./limits.js";
import type { Role } from "./transitions.js";

/**
 * The topics on which an orbiter listens: by default those of the specification.
 *
 * A user who has topics of their own overrides methods. All take the identifier of the remote, and for a connection the
 * operation and the connection's identifier; these are known to be good for a level.
 */
export class OrbiterTopics {
  /** Where keepalives arrive, as it is told to anybody. */
  readonly keepaliveOfAnybody: string;
  /** Where keepalive requests arrive, as it is told to anybody. */
  readonly keepaliveRequestOfAnybody: string;
  /** Core: where offers arrive. */
  readonly offerOfAnybody: string;
  /** Plugin: where discovers arrive that are meant for it alone. */
  readonly discoverOfAnybody: string;

  constructor(
    /** What the orbiter is: `core` or `plugin`. */
    readonly role: Role,
    /** Identifier of the orbiter. */
    readonly identifier: string,
  ) {
    const toAnybody = { recipientIdentifier: identifier, senderIdentifier: null };
    this.keepaliveOfAnybody = KeepaliveTopic.build(toAnybody);
    this.keepaliveRequestOfAnybody = KeepaliveRequestTopic.build(toAnybody);
    this.offerOfAnybody = OfferTopic.build({ coreIdentifier: identifier, pluginIdentifier: null });
    this.discoverOfAnybody = DirectedDiscoverTopic.build({ pluginIdentifier: identifier, coreIdentifier: null });
  }

  /** Where keepalives of a remote arrive. */
  keepalive(remoteIdentifier: string): string {
    return KeepaliveTopic.join({ recipientIdentifier: this.identifier, senderIdentifier: remoteIdentifier });
  }

  /** Where keepalive requests of a remote arrive. */
  keepaliveRequest(remoteIdentifier: string): string {
    return KeepaliveRequestTopic.join({ recipientIdentifier: this.identifier, senderIdentifier: remoteIdentifier });
  }

  /** Plugin: where requests and rejects of a core arrive. */
  reply(coreIdentifier: string): string {
    return ReplyTopic.join({ pluginIdentifier: this.identifier, coreIdentifier });
  }

  /** Core: where confirms of a plugin arrive. */
  response(pluginIdentifier: string): string {
    return ResponseTopic.join({ coreIdentifier: this.identifier, pluginIdentifier });
  }

  /** Where closes of one connection arrive. */
  close(remoteIdentifier: string, operationName: string, connectionIdentifier: string): string {
    return CloseTopic.join({
      recipientIdentifier: this.identifier,
      senderIdentifier: remoteIdentifier,
      operationName,
      connectionIdentifier,
    });
  }

  /** Where the acknowledgement of a graceful close arrives. */
  closeAck(remoteIdentifier: string, operationName: string, connectionIdentifier: string): string {
    return CloseAckTopic.join({
      recipientIdentifier: this.identifier,
      senderIdentifier: remoteIdentifier,
      operationName,
      connectionIdentifier,
    });
  }

  /** Where inputs (plugin) or outputs (core) of one connection arrive. */
  data(remoteIdentifier: string, operationName: string, connectionIdentifier: string): string {
    const levels = { operationName, connectionIdentifier };
    return this.role === "core"
      ? OperationOutputTopic.join({
          coreIdentifier: this.identifier,
          pluginIdentifier: remoteIdentifier,
          ...levels,
        })
      : OperationInputTopic.join({
          pluginIdentifier: this.identifier,
          coreIdentifier: remoteIdentifier,
          ...levels,
        });
  }
}

/** The configuration that every machine has. */
export interface OrbiterConfig {
  /** Unique among all orbiters of the context. */
  readonly identifier: string;
  /** Where this orbiter listens. */
  readonly topics: OrbiterTopics;
  /** Where discovers are published. */
  readonly discoverTopic: string;
  /** Where announcements are published. */
  readonly announceTopic: string;
  /** Seconds for which an unanswered offer or request is kept; `null` for ever. */
  readonly pendingRequestsExpireAfter: number | null;
  /** Seconds of silence after which a remote is dead; `null` for never. */
  readonly considerOthersDeadAfter: number | null;
  /** Seconds for which a remote whose will has come may stay silent; `null` where wills are not listened for. */
  readonly suspicionGrace: number | null;
  /** How many seconds before a remote would consider this orbiter dead a keepalive is sent. */
  readonly sendKeepaliveBeforeTimelimit: number;
  /** Seconds for which a graceful close waits for its acknowledgement; `null` for ever. */
  readonly gracefulCloseTimeout: number | null;
  /** Seconds for which a connection may be unused before it is closed; `null` for ever. */
  readonly closeConnectionIfUnusedAfter: number | null;
  /** What others can use up of it at most. */
  readonly limits: Limits;
  /** The remotes that the user has named, as those that must or may be connected. */
  readonly named: ReadonlySet<string>;
  /** The operations that are lent or required. */
  readonly operationNames: readonly string[];
}

/** An operation of a plugin: what it takes and gives, and the rules for lending it. */
export interface OperationTerms {
  /** What it takes. */
  readonly input: SchemaSet;
  /** What it gives. */
  readonly output: SchemaSet;
  /** How many slots there are; `null` for any number. */
  readonly maximum: number | null;
  /** The cores that alone are admitted; `null` for all. */
  readonly allowlist: ReadonlySet<string> | null;
  /** The cores that are not admitted. */
  readonly blocklist: ReadonlySet<string>;
  /** Fingerprints of the schemas that match the same schema alone. */
  readonly exact: readonly string[];
}

/** What a core requires of one operation: its constraint as it is now. */
export interface RequirementTerms {
  /** Alternatives. */
  readonly inputs: readonly SchemaSet[];
  /** Alternatives. */
  readonly outputs: readonly SchemaSet[];
  /** How many plugins are needed, beside the mandatory ones. */
  readonly minimum: number;
  /** How many plugins are taken, beside the mandatory ones; `null` for any number. */
  readonly maximum: number | null;
  /** Each identifier once. */
  readonly mandatory: readonly string[];
  /** The plugins that alone are taken; `null` for all. */
  readonly allowlist: readonly string[] | null;
  /** The plugins that are not taken; `null` for none. */
  readonly blocklist: readonly string[] | null;
  /** Fingerprints of the schemas that match the same schema alone. */
  readonly exact: readonly string[];
}

/** The configuration of the machine of a plugin. */
export interface PluginConfig extends OrbiterConfig {
  /** Operations by name. */
  readonly operations: ReadonlyMap<string, OperationTerms>;
}

/** The configuration of the machine of a core. */
export interface CoreConfig extends OrbiterConfig {
  /** Requirements by operation name. */
  readonly requirements: ReadonlyMap<string, RequirementTerms>;
  /** Whether it wants offers also later, for what could not be offered at once. */
  readonly lateOffers: boolean;
  /** Seconds between two discovers while the core is not compliant. */
  readonly discoveringInterval: number;
  /** Seconds between two discovers while the core is compliant and could take more plugins. */
  readonly discoveringIntervalWhenCompliant: number;
}

/** What a configuration is made from: what is left out has the value of the specification. */
export type GivenConfig<Config extends OrbiterConfig> = Pick<Config, "identifier"> &
  Partial<Omit<Config, "identifier" | "limits" | "named" | "operationNames">> & { readonly limits?: Partial<Limits> };

const DEFAULTS = {
  discoverTopic: DISCOVER.address,
  announceTopic: ANNOUNCE.address,
  pendingRequestsExpireAfter: timings.PENDING_REQUESTS_EXPIRE_AFTER,
  considerOthersDeadAfter: timings.CONSIDERED_DEAD_AFTER,
  suspicionGrace: timings.SUSPICION_GRACE,
  sendKeepaliveBeforeTimelimit: timings.SEND_KEEPALIVE_BEFORE_TIMELIMIT,
  gracefulCloseTimeout: timings.GRACEFUL_CLOSE_TIMEOUT,
  closeConnectionIfUnusedAfter: null,
} as const;

/** Make the configuration of a plugin; throws a `TopicError` for an identifier that no topic can hold. */
export function pluginConfig(given: GivenConfig<PluginConfig>): PluginConfig {
  const operations = given.operations ?? new Map<string, OperationTerms>();
  return {
    ...DEFAULTS,
    ...given,
    limits: limitsOf(given.limits),
    topics: given.topics ?? new OrbiterTopics("plugin", given.identifier),
    operations,
    named: new Set([...operations.values()].flatMap((terms) => [...(terms.allowlist ?? [])])),
    operationNames: [...operations.keys()],
  };
}

/** Make the configuration of a core; throws a `TopicError` for an identifier that no topic can hold. */
export function coreConfig(given: GivenConfig<CoreConfig>): CoreConfig {
  const requirements = given.requirements ?? new Map<string, RequirementTerms>();
  return {
    ...DEFAULTS,
    lateOffers: true,
    discoveringInterval: timings.DISCOVERING_INTERVAL,
    discoveringIntervalWhenCompliant: timings.DISCOVERING_INTERVAL_WHEN_COMPLIANT,
    ...given,
    limits: limitsOf(given.limits),
    topics: given.topics ?? new OrbiterTopics("core", given.identifier),
    requirements,
    named: new Set([...requirements.values()].flatMap((terms) => [...terms.mandatory, ...(terms.allowlist ?? [])])),
    operationNames: [...requirements.keys()],
  };
}
