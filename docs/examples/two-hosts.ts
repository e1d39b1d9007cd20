/**
 * Two hosts of a network, bert and ernie, that have rules of their own. bert is a web server and
 * asks name servers elsewhere, and that traffic is not wanted in Redis.
 *
 *   flosensor capture eth0 192.168.0.0/16
 */
import { Assign, defineConfig, DST, LowerPort, OUR_NETS, SRC } from "flosensor/config";

export default defineConfig({
  redis: "redis://localhost:6379",

  // With rules for hosts within the own networks, this must be false: otherwise flows between two
  // own addresses are left out before any rule is asked.
  suppressOwnNetwork: false,

  // A service whose flows are not worth a key: here, a name server that answers many questions.
  // Client and peer keys are still written.
  ignoreFlows: [["10.0.11.23", 53]],

  // An address is in the first network that has it. Own networks that have bert's address must come
  // after bert; `check` warns if they don't.
  networks: [
    ["our_nets", OUR_NETS],
    ["bert", "10.33.0.1/32"],
    ["ernie", "10.33.0.2/32"],
    ["external", "0.0.0.0/0", "::/0"],
  ],

  // There is no rule for external -> external, so such packets make no flow.
  flows: [
    // The end with the lower port is the server. On a tie, it is the end named here.
    [null, "our_nets", LowerPort(SRC)],
    ["our_nets", null, LowerPort(DST)],

    // Drops answers of name servers elsewhere to bert: there the destination is the client, and the
    // port of interest is the source's.
    ["external", "bert", Assign(DST, SRC, { ports: [53], drop: true })],
    // Drops questions from elsewhere to bert's web server: the source is the client, the port of
    // interest the destination's.
    ["external", "bert", Assign(SRC, DST, { ports: [80, 443], drop: true })],

    [null, "bert", LowerPort()],
    [null, "ernie", LowerPort()],
  ],
});
