import { cidrText } from "../config/cidr.ts";
import type { Mapping } from "../config/mapping.ts";
import type { DnsServicesOptions } from "../names/encrypted_dns/dns_services.ts";
import { LocalAddresses } from "../store/local_addresses.ts";

/** What a mapping says of which services are DNS that the network's name servers don't see. */
export function dnsOptionsOf(
  mapping: Pick<Mapping, "encryptedDns" | "dnsPorts" | "ourNets">,
): DnsServicesOptions {
  const { encryptedDns, dnsPorts, ourNets } = mapping;
  return { added: encryptedDns, dnsPorts, local: new LocalAddresses(ourNets.map(cidrText)) };
}
