import { parseAddress } from "../../src/model/address.ts";
import { emptyFacts, type Facts } from "../../src/model/facts.ts";

const TCP = 6;

/** Facts of a TCP packet between two addresses, each with its port. */
export function factsOf(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): Facts {
  const from = parseAddress(source)!;
  const to = parseAddress(destination)!;
  return {
    ...emptyFacts(),
    family: from.family,
    protocol: TCP,
    source: from.words,
    destination: to.words,
    sourcePort,
    destinationPort,
  };
}

/** Facts of a packet with these ports, between any addresses. */
export function factsOfPorts(sourcePort: number, destinationPort: number): Facts {
  return factsOf("192.0.2.1", sourcePort, "192.0.2.2", destinationPort);
}
