import { parseAddress } from "../../src/config/address.ts";
import { emptyFacts, type Facts } from "../../src/model/facts.ts";
import type { Mapping } from "../../src/config/mapping.ts";

const TCP = 6;

/** Facts of a TCP packet between two addresses, each with its port. */
export function factsOf(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  mapping?: Mapping,
): Facts {
  const from = parseAddress(source)!;
  const to = parseAddress(destination)!;
  const isIpv6 = from.family === 6;
  return {
    ...emptyFacts(),
    family: from.family,
    protocol: TCP,
    source: from.words,
    destination: to.words,
    sourcePort,
    destinationPort,
    sourceNetwork: mapping?.networkOf(from.words, 0, isIpv6) ?? 0,
    destinationNetwork: mapping?.networkOf(to.words, 0, isIpv6) ?? 0,
  };
}

/** Facts of a packet with these ports, between any addresses. */
export function factsOfPorts(sourcePort: number, destinationPort: number): Facts {
  return factsOf("192.0.2.1", sourcePort, "192.0.2.2", destinationPort);
}
