import type { BpfInstruction } from "../src/capture/bpf_instruction.ts";
import { UserError } from "../src/user_error.ts";
import { attachedFilter } from "./af_packet.ts";
import { PcapHandle } from "./pcap_handle.ts";

/** MiB, the least that {@linkcode PcapHandle.setBufferSize} is of use with: nothing is read. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * A filter in the language of pcap-filter(7), as libpcap puts it into the kernel for an interface:
 * a short capture of libpcap's own is opened, and its program read back. It knows of VLAN tags that
 * the interface took off, and of packets that come without the header of their link layer.
 *
 * @param prepare Sets an active handle as the capture will be that the program is for.
 * @throws {UserError} when libpcap is missing, the filter has an error, or the kernel can't run it.
 * @throws {CaptureError} when the interface can't be captured on.
 */
export function kernelFilter(
  device: string,
  expression: string,
  snaplen: number,
  prepare: (handle: PcapHandle) => void,
): BpfInstruction[] {
  const handle = PcapHandle.create(device);
  try {
    handle.setSnaplen(snaplen);
    handle.setPromisc(false);
    handle.setBufferSize(BUFFER_BYTES);
    handle.activate();
    prepare(handle);
    handle.setFilter(expression);
    const program = attachedFilter(handle.selectableFd());
    if (program !== null) return program;
    throw new UserError(
      `filter ${JSON.stringify(expression)}: the kernel can't run it: take --source libpcap`,
    );
  } finally {
    handle.close();
  }
}
