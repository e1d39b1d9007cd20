/**
 * A host with containers and virtual machines: it offers services, routes for its guests, and uses
 * services itself. flosensor was made for this one.
 *
 * Each bridge shows its guests by their own addresses; the uplink shows the host, and what guests do
 * once more, by the host's address, where the host masquerades them. Capture on all of them:
 *
 *   flosensor capture eth0 docker0 virbr0
 */
import { defineConfig, DST, Initiator, LowerPort, PortMatch, Service, SRC } from "flosensor/config";

/** Ports that the host itself offers. The last is published for a container, `-p 8080:80`. */
const OFFERED = [22, 443, 8080];

export default defineConfig({
  redis: "unix:///run/redis/redis-server.sock",

  // The host's own addresses and its guests' networks, not the network that the host is in.
  ourNets: [
    "192.0.2.10",
    "2001:db8::10",
    "172.17.0.0/16",
    "192.168.122.0/24",
    "2001:db8:0:d0c::/64",
  ],

  // What guests use of the host and of each other counts.
  suppressOwnNetwork: false,

  // The host has an address in each network, so it must come first.
  networks: [
    ["host", "192.0.2.10", "172.17.0.1", "192.168.122.1", "2001:db8::10", "2001:db8:0:d0c::1"],
    ["containers", "172.17.0.0/16", "2001:db8:0:d0c::/64"],
    ["machines", "192.168.122.0/24"],
    ["external", "0.0.0.0/0", "::/0"],
  ],

  flows: [
    // Who was seen to open the conversation is the client, whatever the ports are.
    [null, null, Initiator()],

    // Of connections that are older than the sensor: what the host offers.
    [null, "host", PortMatch(OFFERED, { precedence: DST })],
    ["host", null, PortMatch(OFFERED, { precedence: SRC })],

    // What it routes and what it uses. Service() also knows on which ports this host listens.
    [null, null, Service()],
    [null, null, LowerPort()],
  ],
});
