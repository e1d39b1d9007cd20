import type { Mapping } from "../config/mapping.ts";
import type { KnownNames } from "../dns/known_names.ts";
import { lookupPorts } from "../model/dns_ports.ts";
import type { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import { FlowExplainer } from "../names/flow_explainer.ts";
import { encryptedDns } from "../store/encrypted_dns.ts";

/**
 * Says which names flows have, as a configuration has it.
 *
 * @param start When the sensor began to look, in seconds since 1970-01-01 UTC. By default, with what it
 * saw first.
 */
export function explainerOf(
  mapping: Mapping,
  known: KnownNames,
  carried: CarriedNameNumbers,
  start?: number,
): FlowExplainer {
  return new FlowExplainer({
    known,
    carried,
    localNetworks: mapping.ourNets,
    dnsPorts: lookupPorts(mapping),
    start,
    encryptedDns: (port, protocol, _server, names) => {
      const kinds = [null, ...names.map(({ name }) => name)].map((name) =>
        encryptedDns(port, protocol, name)
      );
      return kinds.find((kind) => kind !== null) ?? null;
    },
  });
}
