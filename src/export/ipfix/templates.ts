import type { InformationElement } from "./information_element.ts";
import { VARIABLE_LENGTH } from "./variable_length.ts";

/** A template: what its records hold, in this order. */
export interface Template {
  /** Its number, 256 or more (RFC 7011, section 3.4.1). */
  readonly id: number;
  readonly elements: readonly InformationElement[];
}

/** Information elements of which the address' family decides. */
const IPV4_ADDRESSES = [element(8, 4), element(12, 4)];
const IPV6_ADDRESSES = [element(27, 16), element(28, 16)];

/** Records of conversations over IPv4. */
export const IPV4_TEMPLATE: Template = { id: 256, elements: flowElements(IPV4_ADDRESSES) };

/** Records of conversations over IPv6. */
export const IPV6_TEMPLATE: Template = { id: 257, elements: flowElements(IPV6_ADDRESSES) };

/**
 * An options template that says how packets are selected (RFC 5476, section 6.5.2). Its first element
 * is the scope.
 */
export const SELECTOR_TEMPLATE: Template = {
  id: 258,
  elements: [
    element(302, 8), // selectorId
    element(304, 2), // selectorAlgorithm
    element(305, 4), // samplingPacketInterval
    element(306, 4), // samplingPacketSpace
  ],
};

/** The one record of {@linkcode SELECTOR_TEMPLATE}: of each packet, one is taken and none is left out. */
export const EVERY_PACKET = {
  selectorId: 1n,
  /** Systematic count-based sampling (IANA, PSAMP Parameters). */
  selectorAlgorithm: 1,
  samplingPacketInterval: 1,
  samplingPacketSpace: 0,
};

/** The record of a conversation: the client is the source, and all is a biflow (RFC 5103). */
function flowElements(addresses: readonly InformationElement[]): InformationElement[] {
  return [
    element(152, 8), // flowStartMilliseconds
    element(153, 8), // flowEndMilliseconds
    ...addresses, // sourceIPv4Address, destinationIPv4Address or the same of IPv6
    element(7, 2), // sourceTransportPort
    element(11, 2), // destinationTransportPort
    element(4, 1), // protocolIdentifier
    element(239, 1), // biflowDirection
    element(136, 1), // flowEndReason
    element(58, 2), // vlanId
    element(1, 8), // octetDeltaCount
    element(2, 8), // packetDeltaCount
    reverse(1, 8),
    reverse(2, 8),
    // nfdump 1.7 takes the flags that come last, whichever direction they are of.
    reverse(6, 2), // tcpControlBits
    element(6, 2),
    element(148, 8), // flowId
    element(82, VARIABLE_LENGTH), // interfaceName
  ];
}

function element(id: number, length: number): InformationElement {
  return { id, length, isReverse: false };
}

function reverse(id: number, length: number): InformationElement {
  return { id, length, isReverse: true };
}
