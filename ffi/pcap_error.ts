import { UserError } from "../src/user_error.ts";
import { libpcap } from "./libpcap.ts";
import { textAt } from "./memory.ts";
import { privilegesGivenUpFor } from "./privileges.ts";

/** No such interface, `PCAP_ERROR_NO_SUCH_DEVICE`, pcap_activate(3PCAP). */
export const PCAP_ERROR_NO_SUCH_DEVICE = -5;
/** No permission to open the interface. */
export const PCAP_ERROR_PERM_DENIED = -8;
/** The interface is there and not up. */
export const PCAP_ERROR_IFACE_NOT_UP = -9;
/** No permission for promiscuous mode. */
export const PCAP_ERROR_PROMISC_PERM_DENIED = -11;

/** The capabilities that capture needs, in the words of setcap(8). */
export const CAPTURE_CAPABILITIES = "cap_net_raw,cap_net_admin+eip";

/** What libpcap refused, with the status that it gave. */
export class PcapError extends UserError {
  override name = "PcapError";

  /**
   * @param message One line.
   * @param status One of the `PCAP_ERROR_` numbers, all below zero.
   */
  constructor(message: string, readonly status: number) {
    super(message);
  }

  /** Whether the interface is away or not up, and may come back by itself. */
  get isAbsence(): boolean {
    return this.status === PCAP_ERROR_NO_SUCH_DEVICE || this.status === PCAP_ERROR_IFACE_NOT_UP;
  }

  /** Whether the process may not capture. */
  get isPermission(): boolean {
    return this.status === PCAP_ERROR_PERM_DENIED ||
      this.status === PCAP_ERROR_PROMISC_PERM_DENIED;
  }
}

/** What to do when the process may not capture. */
export function permissionAdvice(): string {
  const user = privilegesGivenUpFor();
  if (user !== null) return `--user ${user} has given up what this needs: start again`;
  return `run as root, or once as root: setcap ${CAPTURE_CAPABILITIES} ${Deno.execPath()}`;
}

/** libpcap's words for a status, then, where there are any, for the case at hand. */
export function statusMessage(status: number, detail: string): string {
  const words = textAt(libpcap().symbols.statustostr(status));
  if (detail === "") return words;
  // PCAP_ERROR and PCAP_WARNING have no words of their own: all that is known is the detail.
  return status === -1 || status === 1 ? detail : `${words} (${detail})`;
}
