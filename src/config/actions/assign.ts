import type { Facts } from "../../model/facts.ts";
import { NO_MATCH, type Outcome } from "../../model/outcome.ts";
import { Action, type CompiledAction } from "../action.ts";
import { DST, type End, endName, endWord, requireEnd, SRC } from "../end.ts";
import {
  FLAG_CLIENT_IS_DESTINATION,
  FLAG_DROP,
  FLAG_PORT_IS_SOURCE,
  KIND_ASSIGN,
} from "../mapping_layout.ts";
import { requireBoolean, requireOptions } from "../options.ts";
import { PortSet } from "../port_set.ts";

/** Options of {@linkcode Assign}. */
export interface AssignOptions {
  /** The ports, 1 to 65535, of which the port of interest must be one. By default, any will do. */
  ports?: Iterable<number>;
  /**
   * Whether a flow that matches is dropped.
   *
   * @default {false}
   */
  drop?: boolean;
}

/**
 * Client and port of interest are those of the ends named. Does not match when there are `ports` and
 * the port of interest is none of them.
 *
 * @param client The end that is the client; the other one is the server.
 * @param port The end whose port is the port of interest.
 * @throws {ConfigError} when an argument is wrong.
 */
export function Assign(client: End, port: End, options: AssignOptions = {}): Action {
  const { ports, drop = false } = requireOptions(options, "Assign", ["ports", "drop"]);
  return new AssignAction(
    requireEnd(client, "client of Assign"),
    requireEnd(port, "port of Assign"),
    ports === undefined ? null : new PortSet(ports, "Assign"),
    requireBoolean(drop, "drop of Assign"),
  );
}

class AssignAction extends Action {
  override readonly alwaysMatches: boolean;
  override readonly compiled: CompiledAction;

  constructor(
    readonly client: End,
    readonly port: End,
    readonly ports: PortSet | null,
    readonly drop: boolean,
  ) {
    super();
    this.alwaysMatches = ports === null;
    const flags = (client === DST ? FLAG_CLIENT_IS_DESTINATION : 0) |
      (port === SRC ? FLAG_PORT_IS_SOURCE : 0) | (drop ? FLAG_DROP : 0);
    this.compiled = { kind: KIND_ASSIGN, flags, ports };
  }

  override describe(): string {
    const port = `${endWord(this.port)} port`;
    const condition = this.ports === null ? "" : `if the ${port} is ${this.ports.inWords()}: `;
    return this.drop
      ? `${condition}dropped`
      : `${condition}the ${endWord(this.client)} is the client, the ${port} is written`;
  }

  override explain({ sourcePort, destinationPort }: Facts, outcome: Outcome): string {
    const port = this.port === SRC ? sourcePort : destinationPort;
    const isIn = outcome !== NO_MATCH;
    const found = this.ports === null
      ? "any port will do"
      : `${endWord(this.port)} port ${port} is ${isIn ? "" : "not "}in ${this.ports}`;
    if (!isIn) return found;
    return this.drop
      ? `${found}: dropped`
      : `${found}, so the ${endWord(this.client)} is the client`;
  }

  override toString(): string {
    const options = [
      ...(this.ports === null ? [] : [`ports: ${this.ports}`]),
      ...(this.drop ? ["drop: true"] : []),
    ];
    const last = options.length === 0 ? "" : `, { ${options.join(", ")} }`;
    return `Assign(${endName(this.client)}, ${endName(this.port)}${last})`;
  }
}
