import {
  BY_ANNOUNCED,
  BY_EPHEMERAL,
  BY_FAN_IN,
  BY_FIRST_PACKET,
  BY_LEARNED,
  BY_LISTENING,
  BY_MULTICAST,
  BY_PAYLOAD,
  BY_REGISTERED,
} from "../model/reason.ts";
import {
  LAST_OLD_CLIENT_PORT,
  OLD_CLIENT_PORT,
  PORT_WEIGHTS_SIZE,
  WEIGHTS_EPHEMERAL,
  WEIGHTS_TCP,
  WEIGHTS_UDP,
} from "./mapping_layout.ts";
import { REGISTERED_TCP_PORTS, REGISTERED_UDP_PORTS } from "./registered_ports.ts";

/** One kind of evidence that an end offers a service. */
export interface ServiceEvidence {
  /** Its number in `src/model/reason_numbers.ts`. */
  readonly by: number;
  /** Why it is evidence, and why it weighs what it does. */
  readonly reason: string;
}

const PAYLOAD: ServiceEvidence = {
  by: BY_PAYLOAD,
  reason: "Protocols say which of their messages are requests and which are responses.",
};

const MULTICAST: ServiceEvidence = {
  by: BY_MULTICAST,
  reason: "A group or broadcast address receives only: whoever sends to it does so unasked.",
};

const ANNOUNCED: ServiceEvidence = {
  by: BY_ANNOUNCED,
  reason: "Somebody said in a control connection that this port would be connected to: FTP, IRC " +
    "(DCC), SIP and RTSP (SDP).",
};

const LISTENING: ServiceEvidence = {
  by: BY_LISTENING,
  reason: "The host itself listens on that port, so what comes there comes to its service.",
};

const LEARNED: ServiceEvidence = {
  by: BY_LEARNED,
  reason: "Who served a conversation that was seen from its start serves the next one too, and " +
    "the port of one that opened is hardly ever listened on.",
};

const FAN_IN: ServiceEvidence = {
  by: BY_FAN_IN,
  reason: "A service is used from many ports. Over UDP it may be an end that is both, as in " +
    "peer-to-peer networks.",
};

const REGISTRATION: ServiceEvidence = {
  by: BY_REGISTERED,
  reason: "IANA registered the port. System ports are given to servers only, and need privileges " +
    "to listen on; of the thousands of others many are never used for what they were registered, " +
    "least of all those that systems give to clients.",
};

const EPHEMERAL: ServiceEvidence = {
  by: BY_EPHEMERAL,
  reason: "Systems give clients their ports out of certain ranges: RFC 6335 and Windows 49152 to " +
    "65535, Linux 32768 to 60999, older systems 1024 to 5000, which over TCP weighs most against " +
    "5001 to 32767, and where servers listen by default nothing.",
};

const FIRST_PACKET: ServiceEvidence = {
  by: BY_FIRST_PACKET,
  reason: "Who is seen to send first may have opened, even where it is not known whether there " +
    "was something before.",
};

/**
 * The evidence of `Service()`, in the order in which the engine's program weighs it. A weight is about ten times the logarithm, to the base of two, of how
 * many times as often the evidence is right as it is wrong: 10 is twice, 30 eight times.
 */
export const EVIDENCE: readonly ServiceEvidence[] = [
  PAYLOAD,
  MULTICAST,
  ANNOUNCED,
  LISTENING,
  LEARNED,
  FAN_IN,
  REGISTRATION,
  EPHEMERAL,
  FIRST_PACKET,
];

const FTP_DATA = 20;
/** RFC 6335, section 6. */
const SYSTEM_PORTS_END = 1024;
/** From here to the end of the system ports, rresvport(3) gives ports to clients that are root's. */
const RESERVED_CLIENT_PORTS = 512;

/**
 * Where servers listen by default among the ports that older systems give to clients: SOCKS, OpenVPN, SQL
 * Server, Oracle, L2TP, H.323, PPTP, RADIUS, MQTT, SSDP, RTMP, SCCP, NFS, NetFlow, GTP, ZooKeeper, Docker,
 * MGCP, Megaco, HTTP, squid, iSNS, iSCSI, LDAP's global catalogue, MySQL, RDP, STUN, Subversion, BFD,
 * RADIUS (RFC 5176), Diameter, NATS, LISP (RFC 9301), EPMD, IPsec, IPFIX, VXLAN, OPC UA, UPnP.
 */
const WELL_KNOWN_PORTS = [
  ...[1080, 1194, 1433, 1521, 1701, 1719, 1720, 1723, 1812, 1813, 1883, 1900, 1935, 2000, 2049],
  ...[2055, 2123, 2152, 2181, 2375, 2376, 2427, 2944, 3000, 3128, 3205, 3260, 3268, 3269, 3306],
  ...[3389, 3478, 3690, 3784, 3799, 3868, 4222, 4341, 4342, 4369, 4443, 4500, 4739, 4789, 4840],
  ...[5000],
];

/** ip(7), ip_local_port_range. */
const LINUX_EPHEMERAL = 32_768;
/** RFC 6335, section 6. */
const DYNAMIC_PORTS = 49_152;

/**
 * What a port weighs: 65,536 for that it is registered for TCP, as many for UDP, and as many for that
 * it is ephemeral. Which of the two ends of a packet is the server is what a processor can't guess, and
 * each branch that goes by it costs more than a look into a table.
 */
export const PORT_WEIGHTS: Int8Array = new Int8Array(PORT_WEIGHTS_SIZE)
  .fill(
    OLD_CLIENT_PORT,
    WEIGHTS_EPHEMERAL + SYSTEM_PORTS_END,
    WEIGHTS_EPHEMERAL + LAST_OLD_CLIENT_PORT + 1,
  )
  .fill(16, WEIGHTS_EPHEMERAL + LINUX_EPHEMERAL)
  .fill(20, WEIGHTS_EPHEMERAL + DYNAMIC_PORTS);
setRegistrations(REGISTERED_TCP_PORTS, PORT_WEIGHTS.subarray(WEIGHTS_TCP, WEIGHTS_UDP));
setRegistrations(REGISTERED_UDP_PORTS, PORT_WEIGHTS.subarray(WEIGHTS_UDP, WEIGHTS_EPHEMERAL));
for (const port of WELL_KNOWN_PORTS) PORT_WEIGHTS[WEIGHTS_EPHEMERAL + port] = 0;
// RFC 959, section 3.2: from its data port the server connects to the port that it was told.
PORT_WEIGHTS[WEIGHTS_TCP + FTP_DATA] *= -1;

function setRegistrations(ranges: string, weights: Int8Array): void {
  weights.fill(25, 0, RESERVED_CLIENT_PORTS).fill(20, RESERVED_CLIENT_PORTS, SYSTEM_PORTS_END);
  for (const range of ranges.trim().split(/\s/)) {
    const [first, last = first] = range.split("-").map(Number);
    // Each part of a range at once: port by port, the engine took longer to compile this than to run it.
    for (let port = first; port <= last;) {
      const [weight, end] = registeredWeight(port);
      weights.fill(weight, port, Math.min(end, last + 1));
      port = end;
    }
  }
}

/** What a registered port weighs, and up to which port that is so. */
function registeredWeight(port: number): [weight: number, end: number] {
  if (port < RESERVED_CLIENT_PORTS) return [40, RESERVED_CLIENT_PORTS];
  if (port < SYSTEM_PORTS_END) return [25, SYSTEM_PORTS_END];
  return port < LINUX_EPHEMERAL ? [8, LINUX_EPHEMERAL] : [4, 65_536];
}
