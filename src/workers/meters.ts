import type { Mapping } from "../config/mapping.ts";
import { DnsMeter, type DnsMeterOptions, type DnsStatistics } from "../dns/dns_meter.ts";
import { DnsPackets } from "../dns/dns_packets.ts";
import { responsePorts } from "../model/dns_ports.ts";
import { Engine, type EngineOptions, type EngineStatistics } from "../engine/engine.ts";

/** How {@linkcode Meters} are made: with what flows need, and what becomes of names. */
export interface MetersOptions extends Omit<EngineOptions, "payloadReader"> {
  /** Takes writes of keys with names. */
  emitNames: DnsMeterOptions["emit"];
  /** Takes what clients looked up last. */
  names: DnsMeterOptions["names"];
}

/** What {@linkcode Meters} counted. */
export interface MetersStatistics {
  readonly flows: EngineStatistics;
  /** `null` where DNS is not read. */
  readonly dns: DnsStatistics | null;
}

/** What packets go through: the meter of flows, and the one of DNS if the configuration has it. */
export class Meters {
  readonly engine: Engine;
  /** Ports whose packets are read for DNS; they stay the same. */
  readonly dnsPorts: readonly number[];
  readonly #dns: DnsMeter | null;

  constructor({ emitNames, names, ...options }: MetersOptions) {
    const { mapping } = options;
    this.dnsPorts = responsePorts(mapping);
    this.#dns = this.dnsPorts.length === 0 ? null : new DnsMeter({
      emit: emitNames,
      onClient: (isIpv6, client) => this.engine.writeClient(isIpv6, client),
      ignored: mapping.ignoreDns,
      names,
    });
    const payloadReader = this.#dns === null ? undefined : new DnsPackets(mapping, this.#dns);
    this.engine = new Engine({ ...options, payloadReader });
  }

  /** Puts another mapping in the place of the present one. Its DNS ports are left aside. */
  setMapping(mapping: Mapping): void {
    if (this.#dns !== null) this.#dns.ignored = mapping.ignoreDns;
    this.engine.setMapping(mapping);
  }

  /** What was counted up to now. */
  statistics(): MetersStatistics {
    return { flows: this.engine.statistics(), dns: this.#dns?.statistics() ?? null };
  }
}
