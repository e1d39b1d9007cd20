import ipaddr from "ipaddr.js";
import { ANY_DEVICE, type Device, type DeviceAddress } from "../../ffi/device.ts";
import { networkInterfaces } from "../../ffi/network_interfaces.ts";

/**
 * The networks that an interface is in, link-local ones included, such as `192.0.2.0/24` and
 * `fe80::/64`: what is taken for the own networks when none is named. None when it has no address,
 * as on a mirror port, or is not there.
 *
 * `any` is in the networks of all interfaces. The loopback's are among them: what the host tells
 * itself is traffic of its own network, and not of someone outside.
 *
 * @throws {UserError} when the C library is not allowed.
 */
export function ownPrefixes(
  interfaceName: string,
  list: readonly Device[] = networkInterfaces(),
): string[] {
  const chosen = list.filter(({ name }) => interfaceName === ANY_DEVICE || name === interfaceName);
  return [...new Set(chosen.flatMap((device) => device.addresses.map(prefixOf)))];
}

function prefixOf({ address, family, prefixLength }: DeviceAddress): string {
  const cidr = `${address}/${prefixLength}`;
  const network = family === 4
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String();
  return `${network}/${prefixLength}`;
}
