import type { BpfInstruction } from "./bpf_instruction.ts";
import { UserError } from "../src/user_error.ts";
import { attachedFilter } from "./af_packet.ts";
import { PcapHandle } from "./pcap_handle.ts";

/** Bytes, the least that {@linkcode PcapHandle.setBufferSize} is of use with: nothing is read. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * A program that libpcap makes, as it puts it into the kernel for an interface: a short capture of
 * libpcap's own is opened, and its program read back. It knows of VLAN tags that the interface took
 * off, and of packets that come without the header of their link layer.
 *
 * @param snaplen The longest snapshot length of the program.
 * @param make Makes the program with an active handle.
 * @throws {UserError} when libpcap is missing, or the kernel can't run the program.
 * @throws {CaptureError} when the interface can't be captured on.
 */
export function kernelFilter(
  device: string,
  snaplen: number,
  make: (handle: PcapHandle) => BpfInstruction[],
): BpfInstruction[] {
  const handle = PcapHandle.create(device);
  try {
    handle.setSnaplen(snaplen);
    handle.setPromisc(false);
    handle.setBufferSize(BUFFER_BYTES);
    handle.activate();
    handle.setProgram(make(handle));
    const program = attachedFilter(handle.selectableFd());
    if (program !== null) return program;
    throw new UserError(`${device}: the kernel can't run the filter: take --source libpcap`);
  } finally {
    handle.close();
  }
}
