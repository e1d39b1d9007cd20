/**
 * The vocabulary of config.ts.
 *
 * @module
 */
export type { Action } from "./action.ts";
export * from "./actions/mod.ts";
export type {
  Config,
  Configuration,
  Expected,
  Network,
  Prefix,
  Rule,
  Tunnels,
} from "./configuration.ts";
export { ALL_NETWORK, defineConfig } from "./configuration.ts";
export { DST, type End, SRC } from "./end.ts";
export type { Attribution, Flow, FlowFunction } from "./flow_function.ts";
export { OUR_NETS } from "./our_nets.ts";
