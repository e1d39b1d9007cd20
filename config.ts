/**
 * The configuration of flosensor: which networks there are, and who is client and who is server of
 * the flows between them. Change it, then look at what it does:
 *
 *   deno task flosensor check
 *   deno task flosensor explain 192.0.2.7 51000 10.33.0.1 443
 *
 * An editor with Deno's language server shows mistakes while you type: a rule that names a network
 * which is not defined below, for one.
 */
import { Assign, defineConfig, DST, LowerPort, OUR_NETS, SRC } from "flosensor/config";

export default defineConfig({
  // Where the keys are written. --redis URL names another one, --no-redis none. A password, TLS or
  // a Unix socket: "redis://:secret@host:6379/0", "rediss://host", "unix:///run/redis/redis.sock".
  redis: "redis://localhost:6379",

  // How long a key lives after it was last written, in seconds.
  ttl: 900,

  // Whether flows between two addresses of the own networks are left out. That is the default; with
  // rules for hosts within the own networks, as those for bert and ernie may be, it must be false.
  suppressOwnNetwork: false,

  // Services whose flows are not worth a key, by address and port: here, a name server that answers
  // many questions. Client and peer keys are still written.
  ignoreFlows: [["10.0.11.23", 53]],

  // Which names were looked up for the addresses is read from DNS: dns, cname and nx keys. Ports that
  // name servers answer from ([] for none), whether multicast DNS and LLMNR are read too, and names
  // that make no keys, with all below them.
  // dnsPorts: [53],
  // multicastDns: true,
  // ignoreDns: ["in-addr.arpa", "ip6.arpa"],

  // A network is a name and one or more prefixes, of either family. An address is in the first
  // network that holds it. One that is in none makes no flow: hence the catch-all, for both families.
  // OUR_NETS stands for the own networks that the command line names, otherwise for `ourNets: [...]`
  // of this file, otherwise for the prefixes of the interface. Where those hold bert's address, bert
  // must stand before them: `check` says so.
  networks: [
    ["our_nets", OUR_NETS],
    ["bert", "10.33.0.1/32"],
    ["ernie", "10.33.0.2/32"],
    ["external", "0.0.0.0/0", "::/0"],
  ],

  // A rule is the network of the packet's source, that of its destination, and what to do; null is
  // any network. The first rule that matches decides. No rule that matches: no flow.
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
    // LowerPort() looks at the two ports only. What the sensor sees knows more: Initiator() matches
    // when it was seen who opened the conversation, Service() when enough speaks for one end as the
    // one that offers a service (docs/attribution.md says how). Without `flows`, the rules are these,
    // and they may as well stand before or in the place of the LowerPort() rules above; "flosensor
    // score FILE" says how often each of them is right about a capture of yours:
    //
    //   [null, null, Initiator()],
    //   [null, null, Service()],
    //   [null, null, LowerPort()],
    //
    // PortMatch([53, 443]) names the end whose port is one of these. And any function is an action:
    //
    //   ["external", "bert", (flow) => {
    //     if (flow.protocol === "udp" && flow.dport >= 60000) {
    //       return { client: flow.src, server: flow.dst, port: flow.dport };
    //     }
    //   }],
  ],
});
