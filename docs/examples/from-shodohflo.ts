/**
 * The move from ShoDoHFlo's packet agent: this configuration.py, line by line.
 *
 *   REDIS_SERVER = 'localhost'
 *   TTL_GRACE = 900
 *   SUPPRESS_OWN_NETWORK = True
 *   IGNORE_FLOW = {('10.0.11.23', 53)}
 *   NETWORK_ENUMERATION = NetworkEnumeration(
 *       ('voip', '10.0.40.0/24'), ('site', *OUR_4NETS, *OUR_6NETS), ('all', '0.0.0.0/0', '::/0'))
 *   FLOW_MAPPING = FlowMapping(
 *       (None, 'voip', Assign(SRC, DST, {5060, 5061}, drop=True)),
 *       ('site', 'all', PortMatch({53, 80, 443}, precedence=DST)),
 *       (None, None, LowerPort()))
 *
 * The agent was started once for each family, as `packet_agent.py eth0 10.0.0.0/8` and
 * `packet_agent.py eth0 2001:db8::/32`. flosensor takes both:
 *
 *   flosensor capture eth0 10.0.0.0/8 2001:db8::/32
 */
import {
  Assign,
  defineConfig,
  DST,
  Initiator,
  LowerPort,
  OUR_NETS,
  PortMatch,
  Service,
  SRC,
} from "flosensor/config";

export default defineConfig({
  redis: "redis://localhost:6379",
  ttl: 900,
  suppressOwnNetwork: true,
  ignoreFlows: [["10.0.11.23", 53]],

  networks: [
    ["voip", "10.0.40.0/24"],
    ["site", OUR_NETS],
    ["all", "0.0.0.0/0", "::/0"],
  ],

  flows: [
    [null, "voip", Assign(SRC, DST, { ports: [5060, 5061], drop: true })],
    ["site", "all", PortMatch([53, 80, 443], { precedence: DST })],

    // The agent has none of these two: they know better than the lower port who serves. Without
    // them the answers are the agent's.
    [null, null, Initiator()],
    [null, null, Service()],

    [null, null, LowerPort()],
  ],
});
