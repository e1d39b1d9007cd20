import { BY_PORT_MATCH } from "../../flow/by.ts";
import {
  Action,
  type ActionImage,
  FLAG_DROP,
  FLAG_SOURCE_FIRST,
  KIND_PORT_MATCH,
} from "../action.ts";
import { type End, endName, endWord, requireEnd, SRC } from "../end.ts";
import type { Facts } from "../facts.ts";
import { requireBoolean, requireOptions } from "../options.ts";
import { DROP, flowOutcome, NO_MATCH, type Outcome } from "../outcome.ts";
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
  override readonly image: ActionImage;
  readonly #sourceFirst: boolean;

  constructor(readonly ports: PortSet, readonly precedence: End, readonly drop: boolean) {
    super();
    this.#sourceFirst = precedence === SRC;
    const flags = (this.#sourceFirst ? FLAG_SOURCE_FIRST : 0) | (drop ? FLAG_DROP : 0);
    this.image = { kind: KIND_PORT_MATCH, flags, ports };
  }

  override decide(facts: Facts): Outcome {
    const { sourcePort, destinationPort } = facts;
    const sourceMatches = this.ports.has(sourcePort);
    const destinationMatches = this.ports.has(destinationPort);
    if (!sourceMatches && !destinationMatches) return NO_MATCH;
    if (this.drop) return DROP;
    const sourceServes = sourceMatches && (this.#sourceFirst || !destinationMatches);
    return flowOutcome(sourceServes, sourceServes ? sourcePort : destinationPort, BY_PORT_MATCH);
  }

  override describe(): string {
    const which = `port ${this.ports.inWords()}`;
    if (this.drop) return `a flow with ${which} at either end is dropped`;
    return `the end with ${which} serves, the ${endWord(this.precedence)} is tried first`;
  }

  override explain({ sourcePort, destinationPort }: Facts): string {
    const sourceMatches = this.ports.has(sourcePort);
    const destinationMatches = this.ports.has(destinationPort);
    if (!sourceMatches && !destinationMatches) {
      return `neither ${sourcePort} nor ${destinationPort} is in ${this.ports}`;
    }
    const isSource = sourceMatches && (this.#sourceFirst || !destinationMatches);
    const end = isSource ? "source" : "destination";
    const found = sourceMatches && destinationMatches
      ? `both ports are in ${this.ports} and the ${end} is tried first`
      : `${end} port ${isSource ? sourcePort : destinationPort} is in ${this.ports}`;
    return this.drop ? `${found}: dropped` : `${found}, so the ${end} serves`;
  }

  override toString(): string {
    const drop = this.drop ? ", drop: true" : "";
    return `PortMatch(${this.ports}, { precedence: ${endName(this.precedence)}${drop} })`;
  }
}
