/** What nfcapd made of what was sent to it. */
export interface NfcapdReading {
  /** Its records as nfdump shows them, by its labels. */
  readonly flows: readonly ReadonlyMap<string, string>[];
  /** What it said. */
  readonly log: string;
}

/** How long, in milliseconds, between looks at what it said. */
const PAUSE = 20;
const STARTED = "Startup nfcapd.";
const RECORD = "Flow Record:";

/**
 * Has nfcapd collect on loopback while something sends, and nfdump read its file.
 *
 * @param send Sends to the port.
 * @param records How many records are waited for.
 */
export async function nfcapdReading(
  send: (port: number) => Promise<void>,
  records: number,
): Promise<NfcapdReading> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const nfcapd = new Deno.Command("nfcapd", {
    // Records are shown as they come (-E).
    args: ["-b", "127.0.0.1", "-p", String(port), "-w", folder, "-t", "3600", "-E"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    const said = new Said([nfcapd.stdout, nfcapd.stderr]);
    await said.times(STARTED, 1);
    await send(port);
    await said.times(RECORD, records);
    nfcapd.kill("SIGTERM");
    await nfcapd.status;
    await said.ended;
    const { stdout } = await new Deno.Command("nfdump", {
      args: ["-R", folder, "-o", "raw"],
      env: { TZ: "UTC" },
    }).output();
    return { flows: readRaw(new TextDecoder().decode(stdout)), log: said.text };
  } finally {
    try {
      nfcapd.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await nfcapd.status;
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a program says. */
class Said {
  text = "";
  readonly ended: Promise<unknown>;
  #isAtEnd = false;

  constructor(streams: readonly ReadableStream<Uint8Array<ArrayBuffer>>[]) {
    this.ended = Promise.all(streams.map((stream) => this.#read(stream)))
      .then(() => this.#isAtEnd = true);
  }

  /** Resolves when a text came so often. */
  async times(text: string, count: number): Promise<void> {
    while (this.text.split(text).length <= count) {
      if (this.#isAtEnd) throw new Error(`it ended: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.text += text;
  }
}

function readRaw(text: string): Map<string, string>[] {
  const flows: Map<string, string>[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith(RECORD)) flows.push(new Map());
    const [, label, value] = /^ {2}(\S.*?) *= *(\S.*?) *$/.exec(line) ?? [];
    if (label !== undefined) flows.at(-1)?.set(label, value);
  }
  return flows;
}

function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}
