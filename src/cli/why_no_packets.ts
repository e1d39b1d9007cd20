import { interfaceState } from "../../ffi/interface_state.ts";
import { interfacePackets } from "../../ffi/interface_packets.ts";

/** What may keep packets of an interface from a capture. */
export interface KeptOutBy {
  /** See pcap-filter(7). */
  readonly filter?: string;
  /** Which packets are taken, by their direction. */
  readonly direction: string;
}

/** Says why there are no packets of an interface, from what the kernel has counted on it since. */
export class WhyNoPackets {
  readonly #name: string;
  readonly #keptOutBy: KeptOutBy;
  readonly #atStart: number;

  constructor(name: string, keptOutBy: KeptOutBy) {
    this.#name = name;
    this.#keptOutBy = keptOutBy;
    this.#atStart = interfacePackets(name) ?? 0;
  }

  get isDown(): boolean {
    const { index, isUp } = interfaceState(this.#name);
    return index !== 0 && !isUp;
  }

  /** One line, with the way out. */
  text(): string {
    const name = this.#name;
    if (this.isDown) {
      return `${name}: no packets were captured: it is down; ip link set ${name} up`;
    }
    const counted = (interfacePackets(name) ?? 0) - this.#atStart;
    const { filter, direction } = this.#keptOutBy;
    const what = [
      ...(filter === undefined ? [] : [`--filter '${filter}'`]),
      ...(direction === "inout" ? [] : [`--direction ${direction}`]),
    ].join(" and ");
    if (counted > 0 && what !== "") {
      return `${name}: no packets were captured: ${what} left out the ${counted} that it had`;
    }
    return `${name}: no packets were captured: none came` +
      `${what === "" ? "" : ` that ${what} lets through`}; "flosensor interfaces" lists others`;
  }
}
