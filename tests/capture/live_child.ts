/**
 * Takes packets in the namespace that a test starts it in: `live_child.ts NAME,NAME OPTIONS`.
 *
 * Writes a line of JSON when it is ready, whenever it was given packets, and when it was told
 * something; one more when it has ended after SIGTERM. The options are those of a live source, and
 * `source`, which is `libpcap` or `af_packet`; with `longPorts` more is taken of packets from there,
 * with `paused` nothing before SIGUSR1, and with `givenUp` all capabilities are gone once it is ready.
 * With `spareFiles` there are no more files that may be opened when interfaces are.
 */
import { keepCapabilities } from "../../ffi/keep_capabilities.ts";
import { libc } from "../../ffi/libc.ts";
import { libpcapAbsence } from "../../ffi/libpcap.ts";
import { DEFAULT_LIVE_OPTIONS } from "../../src/capture/live_options.ts";
import { openInterfaces } from "../../src/capture/open_interfaces.ts";
import type { PacketSource } from "../../src/capture/packet_source.ts";
import { LineLog } from "../../src/log.ts";
import { UserError } from "../../src/user_error.ts";

/** What is known of a source, as far as a test asks. */
export interface Report {
  packets: number;
  /** Bytes on the wire. */
  bytes: number;
  mostCaptured: number;
  linkType: number;
  /** The last packet's bytes, in hexadecimal. */
  last: string;
  received: number;
  given: number;
  droppedByKernel: number;
}

/** A line of output. */
export interface Line {
  state: "ready" | "counting" | "ended" | "failed";
  /** By interface. */
  sources: Record<string, Report>;
  /** What was logged, and the error when failed. */
  log: string[];
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const { paused, givenUp, spareFiles, source, longPorts, withNames, ...options } = JSON.parse(
    Deno.args[1] ?? "{}",
  );
  const line: Line = { state: "ready", sources: {}, log: [] };
  const print = () => console.log(JSON.stringify(line));
  const log = new LineLog("info", (text) => {
    line.log.push(text.trimEnd());
    print();
  });
  try {
    const names = Deno.args[0].split(",");
    if (spareFiles !== undefined) leaveFiles(spareFiles);
    const live = { ...DEFAULT_LIVE_OPTIONS, ...options };
    const sources = openInterfaces(source ?? "libpcap", names, () => live, log);
    if (givenUp) keepCapabilities(0n);
    const long = { ports: longPorts ?? [], withNames: withNames ?? false };
    if (longPorts !== undefined || withNames) { for (const it of sources) it.takeMoreOf(long); }
    const resumed = Promise.withResolvers<void>();
    Deno.addSignalListener("SIGUSR1", resumed.resolve);
    Deno.addSignalListener("SIGTERM", () => sources.forEach((source) => source.close()));
    for (const source of sources) line.sources[source.name] = newReport();
    print();
    line.state = "counting";
    if (paused) await resumed.promise;
    await Promise.all(sources.map((source) => take(source, line.sources[source.name], print)));
    line.state = "ended";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    line.state = "failed";
    line.log.push(error.message);
  }
  print();
  Deno.exit();
}

/** Opens files until so many more may be opened. What is loaded is loaded before. */
function leaveFiles(spare: number): void {
  libpcapAbsence();
  const open: number[] = [];
  for (let fd; (fd = libc().dup(0)) >= 0;) open.push(fd);
  for (const fd of open.slice(0, spare)) libc().close(fd);
}

async function take(source: PacketSource, report: Report, print: () => void): Promise<void> {
  for (let batch; (batch = await source.next()) !== null;) {
    Object.assign(report, source.statistics());
    if (batch.count === 0) continue;
    for (let packet = 0; packet < batch.count; packet++) {
      report.bytes += batch.length[packet];
      report.mostCaptured = Math.max(report.mostCaptured, batch.captured[packet]);
      report.linkType = batch.linkType[packet];
    }
    const at = batch.offset[batch.count - 1];
    report.last = batch.bytes.subarray(at, at + batch.captured[batch.count - 1]).toHex();
    report.packets += batch.count;
    print();
  }
}

function newReport(): Report {
  return {
    packets: 0,
    bytes: 0,
    mostCaptured: 0,
    linkType: -1,
    last: "",
    received: 0,
    given: 0,
    droppedByKernel: 0,
  };
}
