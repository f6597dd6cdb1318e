/** Requests of cores: what was offered is prepared and confirmed, or is no longer available. */

import { CloseTopic, OperationOutputTopic, ResponseTopic } from "../../../../generated/typescript/topics.js";
import { foreignSchemas, type SchemaPair } from "../../schema/matching.js";
import { expectsSomething } from "../../schema/schema-set.js";
import { shortened } from "../../schema/difference.js";
import type { OperationTerms } from "../config.js";
import { mayAnswer, type Headers } from "../headers.js";
import { sizeOfForeign, type Matching } from "../matching.js";
import type { MessageOf } from "../messages.js";
import { Obstacle } from "../obstacles.js";
import { repeatsRequest, type ToldTopics } from "../older-peers.js";
import { sizeOf } from "../sizes.js";
import { sizeOfRequest, Slot } from "../slots.js";
import { SlotState, SlotTrigger } from "../transitions.js";

import type { Lender } from "./lender.js";
import type { Parts } from "./role-part.js";

/** Takes the requests and rejects of cores. Times are seconds on the clock of the machine's caller. */
export class Requests {
  constructor(
    private readonly lender: Lender,
    private readonly matching: Matching,
    private readonly parts: Parts,
  ) {}

  /** Lend an operation that was offered: prepare, then confirm; or say that it is no longer available. */
  onRequest(message: MessageOf<"RequestOperationMessage">, headers: Headers, now: number): void {
    const { coreIdentifier: core, operationName: name, inputSchemas } = message.fields;
    const { liveness, lifecycle, outbox, slots } = this.parts;
    liveness.hear(core, headers, now);
    const terms = this.lender.config.operations.get(name);
    const told = this.#toldTopics(message, headers, terms !== undefined);
    outbox.received(core, message);
    let slot = slots.get(core, name);
    if (slot !== undefined && slot.state !== SlotState.OFFERED) {
      if (repeats(slot, headers, told)) {
        slot.requestIdentifier = headers.identifier;
        if (slot.isOpen) {
          this.#sendConfirm(slot);
        }
        return;
      }
      if (headers.connectionIdentifier === null) {
        lifecycle.release(slot, SlotTrigger.REPLACED, "forgot");
        slot = undefined;
      }
    }
    const isExpected = terms !== undefined && this.#answersOffer(slot, core, name, terms, headers, now);
    let pairs: readonly SchemaPair[] | Obstacle = [];
    if (isExpected && inputSchemas.length > 0) {
      pairs = this.matching.readInputs(slot?.input ?? terms.input, terms, message.fields, headers, now);
    }
    if (!isExpected || pairs instanceof Obstacle) {
      if (pairs instanceof Obstacle) {
        if (slot !== undefined) {
          // As if the core had rejected it: it has to ask again before it gets another offer.
          lifecycle.release(slot, SlotTrigger.REJECT_RECEIVED, "local");
        }
        this.lender.tell(pairs);
      }
      this.#sendNoLongerAvailable(core, name, told.response, {
        correlationIdentifier: headers.identifier,
        connectionIdentifier: headers.connectionIdentifier,
      });
      return;
    }
    this.#take(slot, terms, message, told, pairs, headers, now);
  }

  /** Take a request up: have its slot prepared, or a new one. */
  #take(
    offered: Slot | undefined,
    terms: OperationTerms,
    message: MessageOf<"RequestOperationMessage">,
    told: ToldTopics,
    pairs: readonly SchemaPair[],
    headers: Headers,
    now: number,
  ): void {
    const { coreIdentifier: core, operationName: name, setupData } = message.fields;
    const { lifecycle, outbox, peers, slots } = this.parts;
    const { input, output } = terms;
    const slot =
      offered ??
      new Slot({ role: "plugin", remoteIdentifier: core, operationName: name, input, output, createdAt: now });
    lifecycle.buildTopics(slot, headers.connectionIdentifier ?? outbox.newIdentifier());
    slot.requestIdentifier = headers.identifier;
    if (headers.connectionIdentifier === null) {
      slot.requestPublisher = headers.publisherIdentifier;
    }
    slot.peerTopic = told.response;
    slot.outputTopic = expectsSomething(slot.output) ? told.output : null;
    slot.remoteCloseTopic = told.close;
    slot.setupData = setupData;
    slot.foreign = foreignSchemas(pairs);
    if (offered === undefined) {
      lifecycle.begin(slot, SlotTrigger.REQUEST_RECEIVED);
    } else {
      lifecycle.advance(slot, SlotTrigger.REQUEST_RECEIVED, now);
    }
    slots.grow(slot, sizeOfRequest(slot) + sizeOfForeign(slot.foreign));
    if (peers.get(core) === undefined) {
      peers.meet(core, headers, now);
    }
    slots.indexTopics(slot);
    lifecycle.prepare(slot);
  }

  /** Check the topics that a request tells: where the response, outputs and closes go. */
  #toldTopics(message: MessageOf<"RequestOperationMessage">, headers: Headers, isOurs: boolean): ToldTopics {
    const fields = message.fields;
    const { coreIdentifier: core, operationName } = fields;
    const resolver = this.parts.resolver;
    const connectionIdentifier = headers.connectionIdentifier;
    // The name of an operation that there is, and the header, are known to be good for a level.
    const levels = isOurs && connectionIdentifier !== null ? { operationName, connectionIdentifier } : null;
    const isGiven = fields.outputTopic !== null && fields.outputTopic !== "";
    const output = isGiven ? resolver.resolve(OperationOutputTopic, core, fields.outputTopic, { levels }) : null;
    return {
      output,
      response: resolver.resolve(ResponseTopic, core, fields.responseTopic),
      close: resolver.resolve(CloseTopic, core, fields.coreSideCloseOperationConnectionTopic, { levels }),
    };
  }

  #answersOffer(
    slot: Slot | undefined,
    core: string,
    name: string,
    terms: OperationTerms,
    headers: Headers,
    now: number,
  ): boolean {
    if (slot === undefined) {
      const { quotas, lifecycle } = this.parts;
      // Only an older peer, which cannot say which offer it answers, gets a slot that is not reserved for it.
      return (
        headers.connectionIdentifier === null &&
        quotas.makeRoomForPending(core, now, (oldest) => lifecycle.giveUp(oldest)) &&
        this.lender.canLend(core, name, terms)
      );
    }
    return slot.state === SlotState.OFFERED && mayAnswer(headers, slot.offerIdentifiers);
  }

  // Confirm

  /** Open the connection of a slot in state PREPARING, and confirm it. */
  prepared(slot: Slot, now: number): void {
    this.parts.slots.grow(slot, -sizeOf(slot.setupData)); // which has done its work
    this.parts.lifecycle.open(slot, SlotTrigger.PREPARED, now);
    this.#sendConfirm(slot);
  }

  #sendConfirm(slot: Slot): void {
    const { remoteIdentifier, operationName, connectionIdentifier, peerTopic, requestIdentifier } = slot;
    const fields = {
      pluginIdentifier: this.lender.config.identifier,
      operationName,
      operationInputTopic: slot.inputTopic ?? this.#unusedInputTopic(slot),
      pluginSideCloseOperationConnectionTopic: slot.incomingCloseTopic,
    };
    const message = { type: "ConfirmConnectionMessage", fields } as const;
    const correlationIdentifier = requestIdentifier;
    this.parts.outbox.send(remoteIdentifier, peerTopic, message, { correlationIdentifier, connectionIdentifier });
  }

  /** Return a topic for an operation without input: an older core opens no connection without one. */
  #unusedInputTopic(slot: Slot): string | null {
    if (slot.requestPublisher === null) {
      return null;
    }
    return this.lender.config.topics.data(slot.remoteIdentifier, slot.operationName, slot.connectionIdentifier);
  }

  #sendNoLongerAvailable(
    core: string,
    operationName: string,
    topic: string,
    headers: Pick<Headers, "correlationIdentifier" | "connectionIdentifier">,
  ): void {
    const fields = { pluginIdentifier: this.lender.config.identifier, operationName };
    this.parts.outbox.send(core, topic, { type: "OperationNoLongerAvailableMessage", fields }, headers);
  }

  /** Take back an offer that the core does not want, or a connection whose request it has given up. */
  onReject(message: MessageOf<"RejectOperationMessage">, headers: Headers, now: number): void {
    const { coreIdentifier: core, operationName: name, description } = message.fields;
    this.parts.liveness.hear(core, headers, now);
    const slot = this.parts.slots.get(core, name);
    if (slot === undefined) {
      return;
    }
    const isMeant =
      slot.state === SlotState.OFFERED
        ? mayAnswer(headers, slot.offerIdentifiers.slice(-1))
        : headers.connectionIdentifier === slot.connectionIdentifier;
    if (isMeant) {
      this.parts.outbox.received(core, message);
      this.parts.lifecycle.release(slot, SlotTrigger.REJECT_RECEIVED, "remote");
      this.lender.note(core, name, "rejected", `the core rejected the offer: ${shortened(description ?? "", 200)}`);
    }
  }

  /** Tell the core that its request comes to nothing. */
  giveUp(slot: Slot): void {
    if (slot.state === SlotState.PREPARING) {
      const { requestIdentifier, connectionIdentifier } = slot;
      this.#sendNoLongerAvailable(slot.remoteIdentifier, slot.operationName, slot.peerTopic, {
        correlationIdentifier: requestIdentifier,
        connectionIdentifier,
      });
    }
  }
}

/** Whether a request is the one that made this slot what it is, sent again. */
function repeats(slot: Slot, headers: Headers, told: ToldTopics): boolean {
  return headers.connectionIdentifier === null
    ? repeatsRequest(slot, headers, told)
    : slot.connectionIdentifier === headers.connectionIdentifier;
}
