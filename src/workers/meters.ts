import type { LongPackets } from "../capture/live_options.ts";
import type { Mapping } from "../config/mapping.ts";
import { DnsMeter, type DnsMeterOptions, type DnsStatistics } from "../dns/dns_meter.ts";
import { DnsPackets } from "../dns/dns_packets.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { Announcement } from "../names/devices/announcement.ts";
import { DevicePackets } from "../names/devices/device_packets.ts";
import { responsePorts } from "../model/dns_ports.ts";
import { Engine, type EngineOptions, type EngineStatistics } from "../engine/engine.ts";
import type { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import { type CarriedStatistics, ConversationNames } from "../names/conversation_names.ts";
import { PayloadReaders } from "../packet/payload_readers.ts";
import type { PayloadReader } from "../packet/payload_reader.ts";

/** How {@linkcode Meters} are made: with what flows need, and what becomes of names. */
export interface MetersOptions extends Omit<EngineOptions, "payloadReader" | "linkReader"> {
  /** Takes writes of keys with names, and when these were seen, in seconds since 1970-01-01 UTC. */
  emitNames: (writes: readonly NameWrite[], seconds: number) => void;
  /** Takes what clients looked up last. */
  names: DnsMeterOptions["names"];
  /** Gives numbers to the names that conversations carry. By default, these are not looked for. */
  carried?: CarriedNameNumbers;
  /** Takes resolvers that others designate. */
  onDesignated?: DnsMeterOptions["onDesignated"];
  /** Takes what hosts tell of themselves, and when, in seconds. By default, that is not read. */
  onAnnouncement?: (announcement: Announcement, seconds: number) => void;
}

/** What {@linkcode Meters} counted. */
export interface MetersStatistics {
  readonly flows: EngineStatistics;
  /** `null` where DNS is not read. */
  readonly dns: DnsStatistics | null;
  /** `null` where names that conversations carry are not looked for. */
  readonly carried: CarriedStatistics | null;
}

/** What packets go through: the meter of flows, and the one of DNS if the configuration has it. */
export class Meters {
  readonly engine: Engine;
  /** Ports whose packets are read for DNS; they stay the same. */
  readonly dnsPorts: readonly number[];
  /** Packets that are read beyond their headers, and have to be captured as a whole. */
  readonly longPackets: LongPackets;
  readonly #dns: DnsMeter | null;
  readonly #carried: ConversationNames | null;

  constructor(
    { emitNames, names, carried, onDesignated, onAnnouncement, ...options }: MetersOptions,
  ) {
    const { mapping } = options;
    this.dnsPorts = responsePorts(mapping);
    this.#dns = this.dnsPorts.length === 0 ? null : new DnsMeter({
      emit: (writes) => emitNames(writes, this.engine.second),
      onClient: (isIpv6, client) => this.engine.writeClient(isIpv6, client),
      ignored: mapping.ignoreDns,
      names,
      onDesignated,
    });
    const readers: PayloadReader[] = [];
    if (this.#dns !== null) readers.push(new DnsPackets(mapping, this.#dns));
    const devices = onAnnouncement === undefined ? undefined : new DevicePackets(onAnnouncement);
    if (devices !== undefined) readers.push(devices);
    const payloadReader = readers.length === 0 ? undefined : new PayloadReaders(readers);
    const ports: number[] = [];
    payloadReader?.ports.forEach((wanted, port) => {
      if (wanted !== 0) ports.push(port);
    });
    this.longPackets = { ports, withNames: carried !== undefined };
    this.#carried = carried === undefined ? null : new ConversationNames(carried);
    const firstPayloadReader = this.#carried ?? undefined;
    this.engine = new Engine({
      ...options,
      payloadReader,
      linkReader: devices,
      firstPayloadReader,
    });
  }

  /** Puts another mapping in the place of the present one. Its DNS ports are left aside. */
  setMapping(mapping: Mapping): void {
    if (this.#dns !== null) this.#dns.ignored = mapping.ignoreDns;
    this.engine.setMapping(mapping);
  }

  /** What was counted up to now. */
  statistics(): MetersStatistics {
    return {
      flows: this.engine.statistics(),
      dns: this.#dns?.statistics() ?? null,
      carried: this.#carried?.statistics() ?? null,
    };
  }
}
