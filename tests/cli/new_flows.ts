import { join } from "node:path";
import { keysOfFlow } from "../conversations.ts";
import type { NamespacePair } from "../namespaces.ts";
import { type Bytes, ethernet, ip, pcap, tcp } from "../packets.ts";

const SERVER = "198.51.100.1";
const PORT = 443;
/** Where the source address stands in a packet: behind the Ethernet header, RFC 791, section 3.1. */
const SOURCE = 14 + 12;

/** The own network of the clients. */
export const CLIENTS = "10.0.0.0/8";

/** How many keys each flow has. */
export const KEYS_PER_FLOW = 4;

/** Flows that nobody saw before, one a packet, each of another client: its keys are of it alone. */
export class NewFlows {
  /** How many there are. */
  readonly count: number;
  /** What tcpreplay says at its end. */
  readonly ended: Promise<string>;

  private constructor(count: number, ended: Promise<string>) {
    this.count = count;
    this.ended = ended;
  }

  /**
   * Begins to send them.
   *
   * @param directory For the file in which they are.
   * @param perSecond As fast as it can where that is left out.
   */
  static async start(
    pair: NamespacePair,
    directory: string,
    count: number,
    perSecond?: number,
  ): Promise<NewFlows> {
    const file = join(directory, `${count}.pcap`);
    const first = ethernet(ip("10.0.0.0", SERVER, tcp(40_000, PORT)));
    await Deno.writeFile(
      file,
      pcap(
        Array.from({ length: count }, (_, i) => ({ packet: from(first, i), seconds: i / 1000 })),
      ),
    );
    return new NewFlows(count, pair.replay(file, { packetsPerSecond: perSecond }));
  }

  /** Keys of one. */
  static keys(index: number): string[] {
    return keysOfFlow(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, SERVER, PORT);
  }
}

/** The same packet from another client. Its checksum, at which a sensor does not look, stays. */
function from(packet: Bytes, client: number): Bytes {
  const copy = packet.slice();
  new DataView(copy.buffer).setUint32(SOURCE, (10 << 24) + client);
  return copy;
}
