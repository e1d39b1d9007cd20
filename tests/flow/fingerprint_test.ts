import {
  HOT_ADDRESSES,
  HOT_PORTS,
  HOT_STATE,
  IPV4_HOT_SHIFT,
  IPV6_HOT_SHIFT,
} from "../../src/flow/conversation_table.ts";
import { testHash } from "../chosen_conversations.ts";
import { smallMemory } from "./small_memory.ts";

const UDP = 17;
const NUMBER = 1;

const { ipv4, ipv6, program } = smallMemory();

function fingerprintOf(addresses: readonly number[], ports: number): bigint {
  const isIpv6 = addresses.length > 2;
  const { hot } = isIpv6 ? ipv6 : ipv4;
  const cell = NUMBER << (isIpv6 ? IPV6_HOT_SHIFT : IPV4_HOT_SHIFT);
  hot[cell + HOT_PORTS] = ports;
  hot[cell + HOT_STATE] = UDP;
  hot.set(addresses, cell + HOT_ADDRESSES);
  return program.fingerprintOf(isIpv6, NUMBER);
}

testHash(
  "first half of fingerprints",
  (...words) => Number(fingerprintOf(...words) & 0xffff_ffffn),
);
testHash(
  "second half of fingerprints",
  (...words) => Number((fingerprintOf(...words) >> 32n) & 0xffff_ffffn),
);
