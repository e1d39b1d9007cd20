import { LocalAddresses } from "../store/local_addresses.ts";

/** Says whether an address, or the name of what has it, is one that was asked for. */
export type AddressMatcher = (address: string, name: string | null) => boolean;

/**
 * Makes what says whether an address is what was asked for, or a name is, or one below it.
 *
 * @param wanted An address, a prefix or a name; `null` for all.
 */
export function addressMatcher(wanted: string | null): AddressMatcher {
  if (wanted === null) return () => true;
  const addresses = prefixOf(wanted);
  if (addresses !== null) return (address) => addresses.has(address);
  const name = wanted.toLowerCase().replace(/\.$/, "");
  return (_, other) => other !== null && (other === name || other.endsWith(`.${name}`));
}

function prefixOf(text: string): LocalAddresses | null {
  try {
    return new LocalAddresses([text]);
  } catch {
    return null;
  }
}
