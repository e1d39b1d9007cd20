/**
 * Takes packets of `veth0` with two sources that share them: `fanout_child.ts libpcap|af_packet`.
 *
 * Writes a line when it is ready, and a line of JSON when it has ended after SIGTERM: for each
 * conversation, how many of its packets each source had.
 */
import { freeFanoutGroup } from "../../ffi/af_packet.ts";
import { DEFAULT_LIVE_OPTIONS } from "../../src/capture/live_options.ts";
import { openInterfaces } from "../../src/capture/open_interfaces.ts";
import type { PacketSource } from "../../src/capture/packet_source.ts";
import type { SourceKind } from "../../src/capture/source_kind.ts";
import { addressText } from "../../src/model/address_text.ts";
import { LineLog } from "../../src/log.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";

/** For each conversation, packets of the first source and of the second. */
export type Shares = Record<string, [number, number]>;

if (import.meta.main) {
  const kind = Deno.args[0] as SourceKind;
  const fanoutGroup = freeFanoutGroup("veth0");
  const options = { ...DEFAULT_LIVE_OPTIONS, snaplen: 65_535, fanoutGroup };
  const log = new LineLog("info");
  const sources = [0, 1].flatMap(() => openInterfaces(kind, ["veth0"], () => options, log));
  Deno.addSignalListener("SIGTERM", () => sources.forEach((source) => source.close()));
  console.log("ready");
  const shares: Shares = {};
  await Promise.all(sources.map((source, index) => take(source, index, shares)));
  console.log(JSON.stringify(shares));
  Deno.exit();
}

async function take(source: PacketSource, index: number, shares: Shares): Promise<void> {
  const header = new PacketHeader();
  const words = new Uint32Array(header.addresses.buffer);
  for (let batch; (batch = await source.next()) !== null;) {
    const { view, offset, captured, linkType } = batch;
    for (let i = 0; i < batch.count; i++) {
      const end = offset[i] + captured[i];
      if (decode(view, offset[i], end, linkType[i], header) !== TRANSPORT) continue;
      const text = (at: number, port: number) => `${addressText(words, at, header.isIpv6)} ${port}`;
      const ends = [text(SOURCE, header.sourcePort), text(DESTINATION, header.destinationPort)];
      const share = shares[[header.protocol, ...ends.sort()].join(" ")] ??= [0, 0];
      share[index]++;
    }
  }
}
