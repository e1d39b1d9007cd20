/**
 * A router at home, or in a small office. Capture on the inside: on the outside, after NAT, all of
 * your hosts have one address.
 *
 *   flosensor capture br-lan
 */
import { Assign, defineConfig, DST, Initiator, LowerPort, Service, SRC } from "flosensor/config";

export default defineConfig({
  redis: "redis://localhost:6379",

  // Your networks: what the router gives to hosts. Of IPv6, the prefix of your provider and the
  // link-local addresses.
  ourNets: ["192.168.1.0/24", "192.168.2.0/24", "2001:db8:1::/56", "fe80::/10"],

  // Who prints on which printer is worth knowing, too.
  suppressOwnNetwork: false,

  // All hosts ask the router for names: no flow keys for that. The names themselves are still read.
  ignoreFlows: [["192.168.1.1", 53], ["192.168.2.1", 53]],

  networks: [
    ["groups", "224.0.0.0/4", "255.255.255.255", "192.168.1.255", "192.168.2.255", "ff00::/8"],
    ["guests", "192.168.2.0/24", "2001:db8:1:2::/64"],
    ["home", "192.168.1.0/24", "2001:db8:1::/64", "fe80::/10"],
    ["internet", "0.0.0.0/0", "::/0"],
  ],

  flows: [
    // Announcements of televisions, printers and speakers (mDNS, SSDP).
    [null, "groups", Assign(SRC, DST, { drop: true })],

    // Who was seen to open the conversation is the client: also where a port is forwarded.
    [null, null, Initiator()],

    // Where that was not seen: guests offer nothing to the internet.
    ["guests", "internet", Assign(SRC, DST)],
    ["internet", "guests", Assign(DST, SRC)],

    [null, null, Service()],
    [null, null, LowerPort()],
  ],
});
