import type { Facts } from "../../model/facts.ts";
import { clientIsDestination, NO_MATCH, type Outcome } from "../../model/outcome.ts";
import { Action, type CompiledAction } from "../action.ts";
import { type End, endName, endWord, requireEnd, SRC } from "../end.ts";
import { FLAG_DROP, FLAG_SOURCE_FIRST, KIND_PORT_MATCH } from "../mapping_layout.ts";
import { requireBoolean, requireOptions } from "../options.ts";
import { PortSet } from "../port_set.ts";

/** Options of {@linkcode PortMatch}. */
export interface PortMatchOptions {
  /**
   * The end that is tried first, and so serves when both ports are in the set.
   *
   * @default {SRC}
   */
  precedence?: End;
  /**
   * Whether a flow that matches is dropped.
   *
   * @default {false}
   */
  drop?: boolean;
}

/**
 * The end whose port is in the set is the server, and that port the port of interest. Does not match
 * when neither is.
 *
 * @param ports Ports of services, 1 to 65535.
 * @throws {ConfigError} when an argument is wrong.
 */
export function PortMatch(ports: Iterable<number>, options: PortMatchOptions = {}): Action {
  const { precedence = SRC, drop = false } = requireOptions(options, "PortMatch", [
    "precedence",
    "drop",
  ]);
  return new PortMatchAction(
    new PortSet(ports, "PortMatch"),
    requireEnd(precedence, "precedence of PortMatch"),
    requireBoolean(drop, "drop of PortMatch"),
  );
}

class PortMatchAction extends Action {
  override readonly alwaysMatches = false;
  override readonly compiled: CompiledAction;

  constructor(readonly ports: PortSet, readonly precedence: End, readonly drop: boolean) {
    super();
    const flags = (precedence === SRC ? FLAG_SOURCE_FIRST : 0) | (drop ? FLAG_DROP : 0);
    this.compiled = { kind: KIND_PORT_MATCH, flags, ports };
  }

  override describe(): string {
    const which = `port ${this.ports.inWords()}`;
    if (this.drop) return `a flow with ${which} at either end is dropped`;
    return `the end with ${which} serves, the ${endWord(this.precedence)} is tried first`;
  }

  override explain({ sourcePort, destinationPort }: Facts, outcome: Outcome): string {
    if (outcome === NO_MATCH) {
      return `neither ${sourcePort} nor ${destinationPort} is in ${this.ports}`;
    }
    const isBoth = this.ports.has(sourcePort) && this.ports.has(destinationPort);
    if (this.drop) {
      const found = this.ports.has(sourcePort)
        ? `source port ${sourcePort}`
        : `destination port ${destinationPort}`;
      return `${isBoth ? "both ports are" : `${found} is`} in ${this.ports}: dropped`;
    }
    // The server is the source where the client is the destination.
    const [end, port] = clientIsDestination(outcome)
      ? ["source", sourcePort]
      : ["destination", destinationPort];
    const found = isBoth
      ? `both ports are in ${this.ports} and the ${end} is tried first`
      : `${end} port ${port} is in ${this.ports}`;
    return `${found}, so the ${end} serves`;
  }

  override toString(): string {
    const drop = this.drop ? ", drop: true" : "";
    return `PortMatch(${this.ports}, { precedence: ${endName(this.precedence)}${drop} })`;
  }
}
