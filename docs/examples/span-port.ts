/**
 * A mirror port (SPAN) of a switch, or a tap: the traffic of a whole site, and none of the sensor's
 * own. The interface has no address, so the own networks must be named here.
 *
 *   flosensor capture --workers 4 --stats 60 eth1
 */
import {
  Assign,
  defineConfig,
  DST,
  Initiator,
  LowerPort,
  PortMatch,
  Service,
  SRC,
} from "flosensor/config";

export default defineConfig({
  redis: "redis://10.10.0.5:6379",

  ourNets: ["10.10.0.0/16", "10.20.0.0/16", "2001:db8:10::/48"],

  // Half of what a mirror port shows is between own hosts.
  suppressOwnNetwork: false,

  networks: [
    ["monitoring", "10.10.9.0/24"],
    ["servers", "10.10.0.0/16", "2001:db8:10:10::/60"],
    ["telephones", "10.20.200.0/22"],
    ["desks", "10.20.0.0/16", "2001:db8:10:20::/60"],
    ["elsewhere", "0.0.0.0/0", "::/0"],
  ],

  flows: [
    // The monitoring asks every host every minute, by SNMP (161) and its own agent (10050).
    ["monitoring", null, PortMatch([161, 10050], { precedence: DST, drop: true })],
    [null, "monitoring", PortMatch([161, 10050], { precedence: SRC, drop: true })],

    // Telephones send voice to each other, between ports that say nothing: no service there.
    ["telephones", "telephones", (flow) => {
      if (flow.protocol === "udp" && flow.sport >= 16384 && flow.dport >= 16384) return "drop";
    }],

    // Who was seen to open the conversation is the client. One direction is enough to see it.
    [null, null, Initiator()],

    // Where that was not seen: desks use servers, and never the other way round.
    ["desks", "servers", Assign(SRC, DST)],
    ["servers", "desks", Assign(DST, SRC)],

    [null, null, Service()],
    [null, null, LowerPort()],
  ],
});
