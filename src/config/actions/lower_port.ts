import type { Facts } from "../../model/facts.ts";
import { Action, type CompiledAction } from "../action.ts";
import { type End, endName, endWord, requireEnd, SRC } from "../end.ts";
import { FLAG_SOURCE_FIRST, KIND_LOWER_PORT } from "../mapping_layout.ts";

/**
 * The end with the lower port is the server, and that port the port of interest. Always matches.
 *
 * @param tie The end that is the server when both ports are the same.
 * @throws {ConfigError} when `tie` is neither SRC nor DST.
 */
export function LowerPort(tie: End = SRC): Action {
  return new LowerPortAction(requireEnd(tie, "tie of LowerPort"));
}

class LowerPortAction extends Action {
  override readonly alwaysMatches = true;
  override readonly compiled: CompiledAction;

  constructor(readonly tie: End) {
    super();
    this.compiled = { kind: KIND_LOWER_PORT, flags: tie === SRC ? FLAG_SOURCE_FIRST : 0 };
  }

  override describe(): string {
    return `the end with the lower port serves, on a tie the ${endWord(this.tie)}`;
  }

  override explain({ sourcePort, destinationPort }: Facts): string {
    if (sourcePort === destinationPort) {
      return `both ports are ${sourcePort}, and on a tie the ${endWord(this.tie)} serves`;
    }
    return sourcePort < destinationPort
      ? `source port ${sourcePort} is lower than ${destinationPort}, so the source serves`
      : `destination port ${destinationPort} is lower than ${sourcePort}, so the destination serves`;
  }

  override toString(): string {
    return `LowerPort(${endName(this.tie)})`;
  }
}
