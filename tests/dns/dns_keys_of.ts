import { DnsMeter } from "../../src/dns/dns_meter.ts";
import { DNS_OUTCOME_NAMES } from "../../src/dns/dns_outcome.ts";
import { DnsPackets } from "../../src/dns/dns_packets.ts";
import type { DnsPorts } from "../../src/model/dns_ports.ts";
import type { NameWrite } from "../../src/dns/name_write.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { Engine } from "../../src/engine/engine.ts";
import { UserError } from "../../src/user_error.ts";
import { mappingOf } from "../observed_keys.ts";

/** What was found of DNS in a capture. */
export interface FoundNames {
  /** `key name` for each name, and the key alone for each counter; each once, sorted. */
  readonly writes: string[];
  /** How many messages had each outcome, without those that none had. */
  readonly outcomes: Record<string, number>;
}

/** What a capture gives, up to its end or to where it is cut. */
export async function dnsKeysOf(path: string, ports: DnsPorts): Promise<FoundNames> {
  const writes = new Set<string>();
  const dns = new DnsMeter({
    emit: (emitted) => emitted.forEach((write) => writes.add(writeText(write))),
    onClient: () => {},
  });
  const meter = new Engine({
    maxConversations: 50_000,
    // tsharkNames() leaves out what is in tunnels.
    mapping: mappingOf({ tunnels: "outer" }, []),
    emit: () => {},
    payloadReader: new DnsPackets(ports, dns),
  });
  const source = SavefileSource.open(path);
  try {
    for (let batch; (batch = await source.next()) !== null;) meter.take(batch);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    source.close();
  }
  meter.flush();
  return { writes: [...writes].sort(), outcomes: outcomesOf(dns) };
}

/** A write as text. */
export function writeText({ key, name }: NameWrite): string {
  return name === null ? key : `${key} ${name}`;
}

/** How many messages had each outcome, without those that none had. */
export function outcomesOf(dns: DnsMeter): Record<string, number> {
  return Object.fromEntries(
    dns.statistics().outcomes.map((count, i): [string, number] => [DNS_OUTCOME_NAMES[i], count])
      .filter(([, count]) => count > 0),
  );
}
