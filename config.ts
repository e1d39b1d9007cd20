/**
 * The configuration of flosensor: your networks, and the rules that say who is client and who is
 * server between them. Change it, then look at what it does:
 *
 *   deno task flosensor check
 *   deno task flosensor explain 192.0.2.7 51000 198.51.100.80 443
 *
 * More settings and rules, each in an example: docs/examples.
 */
import { defineConfig, Initiator, LowerPort, OUR_NETS, Service } from "flosensor/config";

export default defineConfig({
  // The Redis to write to. With a password, TLS, a Unix socket: "redis://:password@host:6379/0",
  // "rediss://host", "unix:///run/redis/redis.sock".
  redis: "redis://localhost:6379",

  // The own networks, unless the command line names some. Without both: those of the interface.
  // ourNets: ["192.168.0.0/16", "2001:db8::/32"],

  // Flows between two own addresses are written too.
  suppressOwnNetwork: false,

  // Name and prefixes. An address is in the first network that has it; in none, it has no flows.
  networks: [
    ["our_nets", OUR_NETS],
    ["external", "0.0.0.0/0", "::/0"],
  ],

  // Source, destination (null: any network), and who serves. The first rule that matches decides.
  flows: [
    // Who was seen to open the conversation is the client.
    [null, null, Initiator()],
    // Otherwise the end serves that the evidence favours: payload, known servers, ports.
    [null, null, Service()],
    // Otherwise the end with the lower port.
    [null, null, LowerPort()],
  ],
});
