import type { Mapping } from "../config/mapping.ts";
import type { DnsServicesOptions } from "../names/encrypted_dns/dns_services.ts";
import { localAddressesOf } from "./local_addresses_of.ts";

/** What a mapping says of which services are DNS that the network's name servers don't see. */
export function dnsOptionsOf(
  mapping: Pick<Mapping, "encryptedDns" | "dnsPorts" | "ourNets">,
): DnsServicesOptions {
  const { encryptedDns, dnsPorts } = mapping;
  return { added: encryptedDns, dnsPorts, local: localAddressesOf(mapping) };
}
