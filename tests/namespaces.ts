import { HAS_LIBPCAP, isProgram } from "./installed.ts";

/**
 * Network namespaces for tests that need real interfaces, as root on Linux: two of them with a
 * veth pair in between. Nothing outside of them is touched, and removing them removes all of it.
 */

/** Whether namespaces can be made here; a test that needs them is skipped if not. */
export const CAN_MAKE_NAMESPACES: boolean = Deno.build.os === "linux" && Deno.uid() === 0 &&
  HAS_LIBPCAP && isProgram("ip", "-V") && isProgram("tcpreplay", "-V");

/** What to add to the name of a test that is skipped without them. */
export const WITHOUT_NAMESPACES = CAN_MAKE_NAMESPACES
  ? ""
  : " (skipped: needs root, libpcap, iproute2 and tcpreplay)";

const decoder = new TextDecoder();

/** What a program wrote, and how it ended. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Two namespaces: packets go out of `sender` at its interface `peer`, and come in to `sensor` at
 * its interface `veth`, which has 10.99.0.1/24 and 2001:db8:99::1/64.
 */
export class NamespacePair {
  readonly sender: string;
  readonly sensor: string;
  /** The interface in `sensor`. */
  readonly veth = "veth0";
  /** The interface in `sender`. */
  readonly peer = "peer0";

  private constructor() {
    // The files of a parallel run share the process, and nothing else.
    const name = `flosensor-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
    this.sender = `${name}-out`;
    this.sensor = `${name}-in`;
  }

  /** Makes the namespaces and the pair in them. Remove them in any case. */
  static async make(): Promise<NamespacePair> {
    const pair = new NamespacePair();
    for (const namespace of [pair.sender, pair.sensor]) {
      await ip("netns", "add", namespace);
      // Else the kernel sends packets of its own: neighbour and router solicitations, MLD reports.
      await pair.sysctl(namespace, "net.ipv6.conf.default.router_solicitations", "0");
      await pair.sysctl(namespace, "net.ipv6.conf.default.accept_dad", "0");
      await ip("-n", namespace, "link", "set", "lo", "up");
    }
    await pair.addVeth();
    return pair;
  }

  /**
   * Makes the veth pair, up, with addresses; also again after {@linkcode removeVeth}.
   *
   * @param namespace Where the other end is.
   */
  async addVeth(
    veth = this.veth,
    peer = this.peer,
    namespace = this.sender,
  ): Promise<void> {
    await ip(
      ...["-n", this.sensor, "link", "add", veth, "type", "veth"],
      ...["peer", "name", peer, "netns", namespace],
    );
    if (veth === this.veth) {
      await ip("-n", this.sensor, "addr", "add", "10.99.0.1/24", "dev", veth);
      await ip("-n", this.sensor, "addr", "add", "2001:db8:99::1/64", "dev", veth, "nodad");
    }
    await ip("-n", this.sensor, "link", "set", veth, "up");
    await ip("-n", namespace, "link", "set", peer, "up");
    // Both ends have to have a carrier before what is sent arrives.
    for (const [where, name] of [[this.sensor, veth], [namespace, peer]]) {
      await until(async () =>
        (await ip("-n", where, "-br", "link", "show", "dev", name)).includes("LOWER_UP")
      );
    }
  }

  /**
   * Makes a hub of interfaces in the namespace of the sender: what comes in at one of them goes out of
   * all others, as of a span port.
   *
   * @param address Of the namespace on the hub, with its prefix length.
   */
  async addHub(name: string, ports: readonly string[], address?: string): Promise<void> {
    await ip("-n", this.sender, "link", "add", name, "type", "bridge", "mcast_snooping", "0");
    for (const port of ports) {
      await ip("-n", this.sender, "link", "set", port, "master", name);
      await ip(
        ...["-n", this.sender, "link", "set", port, "type", "bridge_slave", "learning", "off"],
      );
    }
    if (address !== undefined) await ip("-n", this.sender, "addr", "add", address, "dev", name);
    await ip("-n", this.sender, "link", "set", name, "up");
  }

  /** Gives `peer` an address, with its prefix length, so that it can speak with the sensor. */
  async addSenderAddress(address: string): Promise<void> {
    await ip("-n", this.sender, "addr", "add", address, "dev", this.peer);
  }

  /** Removes the veth pair. */
  async removeVeth(veth = this.veth): Promise<void> {
    await ip("-n", this.sensor, "link", "del", veth);
  }

  /** Runs `ip` with these arguments in the namespace of the sensor. */
  ip(...args: string[]): Promise<string> {
    return ip("-n", this.sensor, ...args);
  }

  /** Sets a kernel parameter in a namespace. */
  async sysctl(namespace: string, name: string, value: string): Promise<void> {
    await succeed("ip", "netns", "exec", namespace, "sysctl", "-q", "-w", `${name}=${value}`);
  }

  /** A command that runs in the namespace of the sensor. */
  command(program: string, args: string[], options: Deno.CommandOptions = {}): Deno.Command {
    return new Deno.Command("ip", {
      ...options,
      args: ["netns", "exec", this.sensor, program, ...args],
    });
  }

  /**
   * Sends a saved capture out of `peer`, as fast as `packetsPerSecond` says or as it can.
   *
   * @param args More for tcpreplay(1), such as `--loop=10`.
   * @returns What tcpreplay says.
   */
  async replay(
    file: string,
    { packetsPerSecond, namespace = this.sender, peer = this.peer, args = [] }: {
      packetsPerSecond?: number;
      namespace?: string;
      peer?: string;
      args?: string[];
    } = {},
  ): Promise<string> {
    const speed = packetsPerSecond === undefined ? "--topspeed" : `--pps=${packetsPerSecond}`;
    return await succeed(
      ...["ip", "netns", "exec", namespace, "tcpreplay", "-q", "-i", peer, speed, ...args, file],
    );
  }

  /** Removes the namespaces, and with them all that is in them. */
  async remove(): Promise<void> {
    for (const namespace of [this.sender, this.sensor]) {
      await run("ip", "netns", "del", namespace);
    }
  }
}

/** Makes namespaces, runs `use`, and removes them whatever happens. */
export async function withNamespaces(use: (pair: NamespacePair) => Promise<void>): Promise<void> {
  const pair = await NamespacePair.make();
  try {
    await use(pair);
  } finally {
    await pair.remove();
  }
}

/** Waits until a condition holds; fails after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !await condition();) {
    if (Date.now() > end) throw new Error(`not within 30 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs a program to its end. */
export async function run(program: string, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program that has to succeed, and gives what it wrote on standard output. */
async function succeed(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, ...args);
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")}: ${stderr}`);
  return stdout;
}

function ip(...args: string[]): Promise<string> {
  return succeed("ip", ...args);
}
