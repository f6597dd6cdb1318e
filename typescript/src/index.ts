/** The TypeScript SDK of Orbitalis. */

export type { Bus, BusOptions, BusStatistics, Receive, Will } from "./bus/bus.js";
export { LocalBroker } from "./bus/local.js";
export { connectMqtt, type MqttOptions } from "./bus/mqtt.js";
export { severalBuses } from "./bus/several.js";
export { Core, type Constraint, type CoreOptions, type Mode, type RequestOptions, type Sink } from "./core.js";
export {
  AnswersNotSupportedError,
  BusError,
  BusNotConnectedError,
  BusRefusedError,
  BusUnavailableError,
  ConnectionClosedError,
  DeclaredError,
  EventTooLargeError,
  InvalidTopicError,
  LocalProtocolError,
  NoConnectionError,
  OperationFailedError,
  OrbitalisError,
  OrbiterStateError,
  OverloadedError,
  RemoteLostError,
  RemoteProtocolError,
  RequestError,
  RequestTimeoutError,
  UnexpectedAnswerError,
} from "./errors.js";
export {
  anything,
  bytes,
  empty,
  float32,
  float64,
  int32,
  int64,
  message,
  nothing,
  oneOf,
  PayloadSet,
  protocolType,
  record,
  text,
  TypedValue,
  typeOfSchema,
  type PayloadType,
} from "./message/payload-type.js";
export {
  Operator,
  type Answer,
  type Asking,
  type ConnectionsAnswer,
  type InfoAnswer,
  type OperatorOptions,
  type PongAnswer,
  type StatisticsAnswer,
} from "./operating/operator.js";
export { defineOperation, type Operation } from "./operation.js";
export type { OrbiterOptions, Settings } from "./orbiter.js";
export { Plugin, type Handler, type Policy } from "./plugin.js";
export type { CloseReason } from "./protocol/effects.js";
export type { ProtocolMessage } from "./protocol/messages.js";
export type { Limits } from "./protocol/limits.js";
export type { OrbiterStatistics } from "./protocol/orbiter-statistics.js";
export type { Request } from "./runtime/asked-inputs.js";
export type { Connection } from "./runtime/connection.js";
export type { Log } from "./runtime/log.js";
export type { Output } from "./runtime/output-stream.js";
export type { Hooks } from "./runtime/runtime.js";
export type { OrbiterTracing, Traced, Tracing, WorkSpan } from "./runtime/tracing.js";
export { DecodeError, EncodeError, TopicError, WireError } from "./support/index.js";
