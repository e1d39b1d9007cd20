const SECTION_HEADER = 0x0a0d0d0a;
const PCAP_MAGICS = [0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34];
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const LEAST_BLOCK = 12;

/**
 * Takes a capture apart: a pcap file into its header and its records, a pcapng file into its blocks.
 * What can't be taken apart is the last part.
 */
export function capturePartsOf(file: Uint8Array): Uint8Array[] {
  if (file.length < FILE_HEADER) return [file];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isPcapng = view.getUint32(0) === SECTION_HEADER;
  const little = isPcapng
    ? view.getUint32(8, true) === 0x1a2b3c4d
    : PCAP_MAGICS.includes(view.getUint32(0, true));
  if (!isPcapng && !PCAP_MAGICS.includes(view.getUint32(0, little))) return [file];
  const parts: Uint8Array[] = [];
  let at = isPcapng ? 0 : FILE_HEADER;
  if (!isPcapng) parts.push(file.subarray(0, at));
  while (at + RECORD_HEADER <= file.length) {
    const size = isPcapng
      ? view.getUint32(at + 4, little)
      : RECORD_HEADER + view.getUint32(at + 8, little);
    if (size < LEAST_BLOCK || at + size > file.length) break;
    parts.push(file.subarray(at, at + size));
    at += size;
  }
  if (at < file.length) parts.push(file.subarray(at));
  return parts;
}
