/** The machine that decides, without input and output: for those who bring a bus and a clock of their own. */

export { coreConfig, OrbiterTopics, pluginConfig } from "./config.js";
export type {
  CoreConfig,
  GivenConfig,
  OperationTerms,
  OrbiterConfig,
  PluginConfig,
  RequirementTerms,
} from "./config.js";
export { CLOSE_REASONS } from "./effects.js";
export type {
  CloseReason,
  ComplianceChanged,
  ConnectionClosed,
  ConnectionOpened,
  Drain,
  Effect,
  MessageReceived,
  ObstacleMet,
  PendingRequestDiscarded,
  Prepare,
  RemoteLost,
  Send,
  Subscribe,
  SuspicionChanged,
  Unsubscribe,
  WatchWill,
} from "./effects.js";
export type { Headers } from "./headers.js";
export type { Limits } from "./limits.js";
export { CoreMachine, Machine, PluginMachine } from "./machine.js";
export type { Identifiers, Uses } from "./machine.js";
export { senderOf } from "./messages.js";
export type { MessageOf, ProtocolMessage, ProtocolMessageType } from "./messages.js";
export { Obstacle } from "./obstacles.js";
export type { ObstacleKind } from "./obstacles.js";
export type { OrbiterStatistics } from "./orbiter-statistics.js";
export { SentNumbers, SequenceWindow } from "./sequence.js";
export type { Slot } from "./slots.js";
export { SlotState, SlotTrigger } from "./transitions.js";
export type { Role } from "./transitions.js";
