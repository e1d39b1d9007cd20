import { parseAddress } from "../model/address.ts";
import { addressText } from "../model/address_text.ts";
import { type ClientAddress, clientAddress } from "./client_address.ts";
import type { AddressRecord, AliasRecord, DnsReading } from "./dns_message.ts";
import { ANSWER, NO_ADDRESS, NXDOMAIN, OTHER_RESPONSE_CODE } from "./dns_outcome.ts";
import { domainName } from "../model/domain_name.ts";

/** A lookup that another agent saw. */
export interface Lookup extends ClientAddress {
  readonly reading: DnsReading;
}

/** Longest chain that is read: resolvers give up long before. */
const MOST_NAMES = 64;

/**
 * Reads a lookup as ShoDoHFlo's dnstap agent sends it, as JSON: `client`, `status` ("NOERROR" or
 * "NXDOMAIN"), `address` where there is one, and `chain`, the names from the one that has the address
 * to the one that was asked for. Where its agent knew names before that one, `bkf` says how many.
 *
 * @returns `null` when it is none.
 */
export function readLookup(line: string): Lookup | null {
  const { client, chain, status, address, bkf = 0 } = objectOf(line);
  const asker = typeof client === "string" ? parseAddress(client) : null;
  const names = namesOf(chain);
  if (asker === null || names === null || typeof status !== "string") return null;
  if (!Number.isInteger(bkf) || bkf as number < 0 || bkf as number >= names.length) return null;
  const reading = status === "NXDOMAIN"
    ? missing(names, bkf as number)
    : status === "NOERROR"
    ? answer(names, address)
    : { outcome: OTHER_RESPONSE_CODE, response: null };
  return reading && { ...clientAddress(asker.family === 6, asker.words), reading };
}

function objectOf(line: string): Record<string, unknown> {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function namesOf(chain: unknown): string[] | null {
  if (!Array.isArray(chain) || chain.length === 0 || chain.length > MOST_NAMES) return null;
  const names = chain.map((name) =>
    typeof name === "string" && name.endsWith(".") ? domainName(name) : null
  );
  return names.includes(null) ? null : names as string[];
}

function missing(names: readonly string[], before: number): DnsReading {
  const question = names[names.length - 1 - before];
  const response = { question, addresses: [], aliases: aliasesOf(names), hints: [] };
  return { outcome: NXDOMAIN, response };
}

function answer(names: readonly string[], address: unknown): DnsReading | null {
  const aliases = aliasesOf(names);
  const addresses: AddressRecord[] = [];
  if (address !== undefined) {
    const parsed = typeof address === "string" ? parseAddress(address) : null;
    if (parsed === null) return null;
    const isIpv6 = parsed.family === 6;
    const text = addressText(parsed.words, 0, isIpv6);
    addresses.push({ owner: names[0], isIpv6, words: parsed.words, address: text });
  }
  if (addresses.length + aliases.length === 0) return { outcome: NO_ADDRESS, response: null };
  return { outcome: ANSWER, response: { question: names.at(-1)!, addresses, aliases, hints: [] } };
}

/** Each name of the chain is the alias of the one before it. */
function aliasesOf(names: readonly string[]): AliasRecord[] {
  return names.slice(1).map((owner, i) => ({ owner, target: names[i] }));
}
