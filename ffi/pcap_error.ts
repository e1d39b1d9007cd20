import { CaptureError } from "./capture_error.ts";
import { withFilesAdvice } from "./errno.ts";
import { libpcap } from "./libpcap.ts";
import { textAt } from "./memory.ts";

/** No such interface, `PCAP_ERROR_NO_SUCH_DEVICE`, pcap_activate(3PCAP). */
export const PCAP_ERROR_NO_SUCH_DEVICE = -5;
/** No permission to open the interface. */
export const PCAP_ERROR_PERM_DENIED = -8;
/** The interface is there and not up. */
export const PCAP_ERROR_IFACE_NOT_UP = -9;
/** No permission for promiscuous mode. */
export const PCAP_ERROR_PROMISC_PERM_DENIED = -11;

const ABSENCES = [PCAP_ERROR_NO_SUCH_DEVICE, PCAP_ERROR_IFACE_NOT_UP];
const REFUSALS = [PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED];

/** What libpcap refused, with the status that it gave. */
export class PcapError extends CaptureError {
  override name = "PcapError";

  /**
   * @param message One line.
   * @param status One of the `PCAP_ERROR_` numbers, all below zero.
   */
  constructor(message: string, readonly status: number) {
    super(withFilesAdvice(message), ABSENCES.includes(status), REFUSALS.includes(status));
  }
}

/** libpcap's words for a status, then, where there are any, for the case at hand. */
export function statusMessage(status: number, detail: string): string {
  const words = textAt(libpcap().symbols.statustostr(status));
  if (detail === "") return words;
  // PCAP_ERROR and PCAP_WARNING have no words of their own: all that is known is the detail.
  return status === -1 || status === 1 ? detail : `${words} (${detail})`;
}
