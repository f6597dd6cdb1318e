/** The message with which a core asks for operations. */

import type { DiscoverMessage, DiscoverQuery } from "../../../../generated/typescript/messages.js";
import type { CoreConfig, RequirementTerms } from "../config.js";

/** Return the message that asks for operations. */
export function discoverMessageOf(config: CoreConfig, wanted: ReadonlyMap<string, RequirementTerms>): DiscoverMessage {
  const topics = config.topics;
  const all = [...wanted];
  return {
    coreIdentifier: config.identifier,
    offerTopic: topics.offerOfAnybody,
    coreKeepaliveTopic: topics.keepaliveOfAnybody,
    coreKeepaliveRequestTopic: topics.keepaliveRequestOfAnybody,
    consideredDeadAfter: config.considerOthersDeadAfter ?? Infinity,
    queries: new Map(all.map(([name, terms]) => [name, queryOf(name, terms)])),
    exactSchemas: new Map(
      all.filter(([, terms]) => terms.exact.length > 0).map(([name, terms]) => [name, terms.exact]),
    ),
  };
}

function queryOf(operationName: string, terms: RequirementTerms): DiscoverQuery {
  return {
    operationName,
    inputs: terms.inputs,
    outputs: terms.outputs,
    allowlist: terms.allowlist,
    blocklist: terms.allowlist === null ? terms.blocklist : null,
  };
}
