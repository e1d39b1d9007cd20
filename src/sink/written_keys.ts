/**
 * The forms of all keys that are written, and with what: for the manual. `keys.ts` and the writers of
 * names make them.
 */
export const WRITTEN_KEYS: readonly (readonly [form: string, meaning: string])[] = [
  ["client;<client>", "with every key below, for its client"],
  ["<client>;<server>;<port>;flow", "a flow that was attributed"],
  ["<a>;<b>;peer", "with every flow, for its two addresses, both ways"],
  [
    "<client>;<server>;<client port>:<server port>;rst",
    "a TCP RST to an address of an own network",
  ],
  [
    "<client>;<server>;<client port>:<server port>;<code>;icmp",
    "ICMP type 3 or ICMPv6 type 1 to an address of an own network",
  ],
  ["<client>;<address>;dns", "a name that the client was answered for the address"],
  ["<client>;<target>;cname", "a name that points at the target, in an answer to the client"],
  ["<client>;<name>;nx", "an answer that there is no such name"],
  ["sensor;<sensor>", "every 10 seconds: JSON that says how a sensor does"],
];
