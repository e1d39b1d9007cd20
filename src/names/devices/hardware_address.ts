/** Bytes of an Ethernet address. */
export const HARDWARE_BYTES = 6;
/** The bit of the first byte that is set in addresses which nobody was given (IEEE 802, section 8.4). */
const LOCALLY_ADMINISTERED = 0x02;
const GROUP = 0x01;

/** An Ethernet address as text; `null` for one that is no host's: all zeros, or a group's. */
export function hardwareText(bytes: Uint8Array, start: number): string | null {
  const address = bytes.subarray(start, start + HARDWARE_BYTES);
  if ((address[0] & GROUP) !== 0 || address.every((byte) => byte === 0)) return null;
  return [...address].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Whether the host has made an address up, as phones do for each network that they join. */
export function isPrivateHardware(text: string): boolean {
  return (parseInt(text.slice(0, 2), 16) & LOCALLY_ADMINISTERED) !== 0;
}
