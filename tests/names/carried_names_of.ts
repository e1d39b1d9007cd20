import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { addressText } from "../../src/model/address_text.ts";
import { CarriedNames } from "../../src/names/carried_names.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";

/** `sni 10.0.0.1 1024 10.0.0.2 443 www.example` of what a capture's connections carry. */
export async function carriedNamesOf(path: string): Promise<Set<string>> {
  const found = new Set<string>();
  const header = new PacketHeader();
  const words = new Uint32Array(header.addresses.buffer);
  const names = new CarriedNames();
  const source = SavefileSource.open(path);
  for (let batch; (batch = await source.next()) !== null;) {
    const { view, offset, captured, linkType } = batch;
    for (let i = 0; i < batch.count; i++) {
      const end = offset[i] + captured[i];
      if (decode(view, offset[i], end, linkType[i], header) !== TRANSPORT) continue;
      const carried = names.take(view, header);
      if (carried?.name == null) continue;
      const { isIpv6, sourcePort, destinationPort } = header;
      const from = `${addressText(words, SOURCE, isIpv6)} ${sourcePort}`;
      const to = `${addressText(words, DESTINATION, isIpv6)} ${destinationPort}`;
      found.add(`${carried.by} ${from} ${to} ${carried.name}`);
    }
  }
  source.close();
  return found;
}
