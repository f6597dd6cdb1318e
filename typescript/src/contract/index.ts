/** The parts that packages take which the generator emits from contracts. */

export { NESTING_DEPTH } from "../../../generated/typescript/limits.js";
export { Canned, Noted } from "./canned.js";
export {
  Answers,
  ContractClient,
  call,
  execution,
  outputs,
  type Call,
  type CallAllOptions,
  type Execution,
  type ExecutionOptions,
  type Outputs,
} from "./client.js";
export type { Answer, Done, ErrorFields } from "./plugin.js";
