import type { Action } from "../../src/config/action.ts";
import type { Mapping } from "../../src/config/mapping.ts";
import { MappingProgram } from "../../src/engine/mapping_program.ts";
import type { Facts } from "../../src/model/facts.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { mappingOf } from "../observed_keys.ts";

/** One for all tests of a file: a memory of its own for each mapping would be too many. */
let program: MappingProgram | undefined;

/** The program, with a mapping. */
export function programOf(mapping: Mapping): MappingProgram {
  program ??= new MappingProgram(mapping);
  program.setMapping(mapping);
  return program;
}

/** The program, with a mapping of one rule, for all addresses. */
export function programOfAction(action: Action): MappingProgram {
  return programOf(mappingOf({
    networks: [["all", "0.0.0.0/0", "::/0"]],
    flows: [[null, null, action]],
  }, []));
}

/** What an action decides. */
export function decidedBy(action: Action, facts: Facts): Outcome {
  return programOfAction(action).decide(facts);
}

/** Why, in the action's words. */
export function explainedBy(action: Action, facts: Facts): string {
  return programOfAction(action).explain(facts).rules[0].reason;
}
