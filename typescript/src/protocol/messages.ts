/** The messages that machines send and take, each with its name. */

import type { MessageTypes } from "../../../generated/typescript/messages.js";

/** Names of the messages of the protocol that a machine takes. */
export type ProtocolMessageType =
  | "AnnounceMessage"
  | "DiscoverMessage"
  | "OfferMessage"
  | "RequestOperationMessage"
  | "RejectOperationMessage"
  | "ConfirmConnectionMessage"
  | "OperationNoLongerAvailableMessage"
  | "KeepaliveMessage"
  | "KeepaliveRequestMessage"
  | "GracefulCloseConnectionMessage"
  | "GracelessCloneConnectionMessage"
  | "CloseConnectionAckMessage"
  | "WillMessage";

/** One message with its name, as the envelope carries it. */
export interface MessageOf<Type extends ProtocolMessageType> {
  /** Name of the message. */
  readonly type: Type;
  /** What it says. */
  readonly fields: MessageTypes[Type];
}

/** Any message that a machine sends or takes. */
export type ProtocolMessage = { readonly [Type in ProtocolMessageType]: MessageOf<Type> }[ProtocolMessageType];

/** The identifier that the sender of a message gives as its own. */
export function senderOf(message: ProtocolMessage): string {
  switch (message.type) {
    case "AnnounceMessage":
    case "OfferMessage":
    case "ConfirmConnectionMessage":
    case "OperationNoLongerAvailableMessage":
      return message.fields.pluginIdentifier;
    case "DiscoverMessage":
    case "RequestOperationMessage":
    case "RejectOperationMessage":
      return message.fields.coreIdentifier;
    default:
      return message.fields.fromIdentifier;
  }
}
