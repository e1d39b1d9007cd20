import { addressText } from "../model/address_text.ts";
import type { Facts } from "../model/facts.ts";
import {
  clientIsDestination,
  DROP,
  flowOutcome,
  NO_MATCH,
  type Outcome,
} from "../model/outcome.ts";
import { BY_FUNCTION } from "../model/reason.ts";
import { Action, type CompiledAction } from "./action.ts";
import { DST, SRC } from "./end.ts";
import type { Attribution, Flow, FlowFunction } from "./flow_function.ts";
import { KIND_FUNCTION } from "./mapping_layout.ts";
import { MAXIMUM_PORT } from "./port_set.ts";
import { shown } from "./shown.ts";

const TCP = 6;

/** A user's function in the place of an action. */
export class CustomAction extends Action {
  override readonly alwaysMatches = false;
  override readonly compiled: CompiledAction = { kind: KIND_FUNCTION };
  readonly #function: FlowFunction;
  readonly #networkNames: readonly string[];
  readonly #report: (problem: string) => void;
  #isReported = false;

  /**
   * @param flowFunction The user's function.
   * @param networkNames Names of the mapping's networks, by their index.
   * @param report Told once when the function throws or returns what can't be used.
   */
  constructor(
    flowFunction: FlowFunction,
    networkNames: readonly string[],
    report: (problem: string) => void,
  ) {
    super();
    this.#function = flowFunction;
    this.#networkNames = networkNames;
    this.#report = report;
  }

  /** What the function says of one direction of a conversation. */
  decide(facts: Facts): Outcome {
    const answer = this.#ask(facts);
    if (typeof answer === "number") return answer;
    if (!this.#isReported) {
      this.#isReported = true;
      this.#report(answer);
    }
    return NO_MATCH;
  }

  override describe(): string {
    return "a function decides";
  }

  override explain(facts: Facts): string {
    const answer = this.#ask(facts);
    if (typeof answer === "string") return `${answer}, which counts as no match`;
    if (answer === NO_MATCH) return "the function returned nothing";
    if (answer === DROP) return 'the function returned "drop"';
    const client = clientIsDestination(answer) ? "destination" : "source";
    return `the function returned the ${client} as the client`;
  }

  override toString(): string {
    return this.#function.name === "" ? "(flow) => ..." : `${this.#function.name}(flow)`;
  }

  /** The outcome, or what is wrong. */
  #ask(facts: Facts): Outcome | string {
    const flow = this.#flowOf(facts);
    try {
      return outcomeOf(this.#function(flow), flow);
    } catch (error) {
      return `the function threw ${thrownText(error)}`;
    }
  }

  #flowOf(facts: Facts): Flow {
    const isIpv6 = facts.family === 6;
    return {
      src: addressText(facts.source, 0, isIpv6),
      dst: addressText(facts.destination, 0, isIpv6),
      sport: facts.sourcePort,
      dport: facts.destinationPort,
      protocol: facts.protocol === TCP ? "tcp" : "udp",
      srcNetwork: this.#networkNames[facts.sourceNetwork],
      dstNetwork: this.#networkNames[facts.destinationNetwork],
    };
  }
}

function thrownText(error: unknown): string {
  try {
    return shown(error instanceof Error ? String(error) : error);
  } catch {
    return "what has no text";
  }
}

/** The outcome that a function's answer means, or what is wrong with the answer. */
function outcomeOf(answer: unknown, flow: Flow): Outcome | string {
  if (answer === undefined || answer === null) return NO_MATCH;
  if (answer === "drop") return DROP;
  if (answer instanceof Promise) {
    answer.catch(() => {}); // It is refused already; its rejection must not end the program.
    return "the function is async, and a rule can't wait";
  }
  if (typeof answer !== "object") {
    return `the function returned ${
      shown(answer)
    }, not { client, server, port }, "drop" or nothing`;
  }
  return attributionOutcome(answer as Partial<Attribution>, flow);
}

function attributionOutcome(answer: Partial<Attribution>, flow: Flow): Outcome | string {
  const { client, server, port } = answer;
  if (!Number.isInteger(port) || port! < 0 || port! > MAXIMUM_PORT) {
    return `the function returned port ${shown(port)}, not 0 to ${MAXIMUM_PORT}`;
  }
  const isSource = (end: unknown) => end === SRC || end === flow.src;
  const isDestination = (end: unknown) => end === DST || end === flow.dst;
  if (isSource(client) && isDestination(server)) return flowOutcome(false, port!, BY_FUNCTION);
  if (isDestination(client) && isSource(server)) return flowOutcome(true, port!, BY_FUNCTION);
  return `the function returned client ${shown(client)} and server ${
    shown(server)
  }, which are not ` +
    "the two ends of the flow";
}
