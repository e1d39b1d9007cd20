import type { Mapping } from "../config/mapping.ts";
import type { KnownNames } from "../dns/known_names.ts";
import { parseAddress } from "../model/address.ts";
import { lookupPorts } from "../model/dns_ports.ts";
import type { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import type { DeviceBook } from "../names/devices/device_book.ts";
import type { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import { FlowExplainer, type HostAddress } from "../names/flow_explainer.ts";

/** What explains flows. */
export interface ExplainerParts {
  readonly known: KnownNames;
  readonly carried: CarriedNameNumbers;
  readonly dnsServices: DnsServices;
  /** Knows which addresses are one host's. By default, each is a host. */
  readonly deviceBook?: DeviceBook | null;
  /** How many conversations of each address family go on at most. By default, any number. */
  readonly maxConversations?: number;
  /**
   * When the sensor began to look, in seconds since 1970-01-01 UTC. By default, with what it saw first.
   */
  readonly start?: number;
}

/** Says which names flows have, as a configuration has it. */
export function explainerOf(
  mapping: Mapping,
  { known, carried, dnsServices, deviceBook = null, maxConversations, start }: ExplainerParts,
): FlowExplainer {
  return new FlowExplainer({
    known,
    carried,
    localNetworks: mapping.ourNets,
    dnsPorts: lookupPorts(mapping),
    maxConversations,
    start,
    // Plain DNS is told by its port, whoever the client is.
    encryptedDns: (port, protocol, server, { names, applicationProtocols }) =>
      dnsServices.kindOf({
        ...{ client: "", server, port, protocol, applicationProtocols },
        names: names.map(({ name }) => name),
      }),
    addressesOf: deviceBook === null
      ? undefined
      : (address) => deviceBook.devices.addressesOf(address).flatMap(hostAddress),
  });
}

function hostAddress(text: string): HostAddress[] {
  const address = parseAddress(text);
  return address === null ? [] : [{ isIpv6: address.family === 6, words: address.words }];
}
