import { parseAddress } from "../model/address.ts";
import { addressText } from "../model/address_text.ts";
import { type ClientAddress, clientAddress } from "./client_address.ts";
import {
  type AddressRecord,
  type AliasRecord,
  type DnsReading,
  type DnsResponse,
  TYPE_A,
  TYPE_AAAA,
} from "./dns_message.ts";
import { ANSWER, NO_ADDRESS, NXDOMAIN, OTHER_RESPONSE_CODE } from "./dns_outcome.ts";
import { domainName } from "../model/domain_name.ts";

/** A lookup that another agent saw. */
export interface Lookup extends ClientAddress {
  readonly reading: DnsReading;
  /** The number that its sender gave the datagram, each one more than the one before, or `null`. */
  readonly id: number | null;
}

/** What a lookup's datagram says, but for its number: fields in the words of ShoDoHFlo's agent. */
export interface LookupFields {
  readonly chain: readonly string[];
  readonly bkf: number;
  readonly client: string;
  readonly qtype: string;
  readonly status: "NOERROR" | "NXDOMAIN";
  readonly address?: string;
}

/** Types of question that are sent on, and that ShoDoHFlo's agents take. */
const TYPES_OF_ADDRESSES = new Map([[TYPE_A, "A"], [TYPE_AAAA, "AAAA"]]);

/** Longest chain that is read: resolvers give up long before. */
const MOST_NAMES = 64;
const NOTHING: DnsResponse = {
  question: null,
  questionType: null,
  addresses: [],
  aliases: [],
  hints: [],
  designated: [],
};

/**
 * Reads a lookup as ShoDoHFlo's dnstap agent sends it, as JSON: `client`, `status` ("NOERROR" or
 * "NXDOMAIN"), `address` where there is one, and `chain`, the names from the one that has the address
 * to the one that was asked for. Where its agent knew names before that one, `bkf` says how many.
 *
 * @returns `null` when it is none.
 */
export function readLookup(line: string): Lookup | null {
  const { client, chain, status, address, bkf = 0, id } = objectOf(line);
  const asker = typeof client === "string" ? parseAddress(client) : null;
  const names = namesOf(chain);
  if (asker === null || names === null || typeof status !== "string") return null;
  if (!Number.isInteger(bkf) || bkf as number < 0 || bkf as number >= names.length) return null;
  const reading = status === "NXDOMAIN"
    ? missing(names, bkf as number)
    : status === "NOERROR"
    ? answer(names, address)
    : { outcome: OTHER_RESPONSE_CODE, response: null };
  const number = Number.isSafeInteger(id) ? id as number : null;
  return reading && { ...clientAddress(asker.family === 6, asker.words), reading, id: number };
}

/**
 * What ShoDoHFlo's dnstap agent sends of a response: a datagram for each address that was asked for, or
 * one that says that there is no such name. Of what holds no address of the kind that was asked for it
 * sends nothing, and neither of other questions.
 *
 * @param client Who asked, as `addressText` writes it.
 */
export function lookupsIn({ outcome, response }: DnsReading, client: string): LookupFields[] {
  const { question, questionType, addresses, aliases } = response ?? NOTHING;
  const qtype = TYPES_OF_ADDRESSES.get(questionType ?? 0);
  if (question === null || qtype === undefined) return [];
  const said = { bkf: 0, client, qtype };
  if (outcome === NXDOMAIN) return [{ chain: [question], ...said, status: "NXDOMAIN" }];
  if (outcome !== ANSWER) return [];
  const chain = chainFrom(question, aliases);
  return addresses
    .filter(({ owner, isIpv6 }) => owner === chain[0] && isIpv6 === (questionType === TYPE_AAAA))
    .map(({ address }) => ({ chain, ...said, status: "NOERROR", address }));
}

/** The names from the last one that an alias leads to back to the one that was asked for. */
function chainFrom(question: string, aliases: readonly AliasRecord[]): string[] {
  const targetOf = new Map(aliases.map(({ owner, target }) => [owner, target]));
  const names = new Set([question]);
  for (let name = targetOf.get(question); name !== undefined; name = targetOf.get(name)) {
    if (names.has(name) || names.size === MOST_NAMES) break;
    names.add(name);
  }
  return [...names].reverse();
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
  return { outcome: NXDOMAIN, response: { ...NOTHING, question, aliases: aliasesOf(names) } };
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
  const question = names.at(-1)!;
  return { outcome: ANSWER, response: { ...NOTHING, question, addresses, aliases } };
}

/** Each name of the chain is the alias of the one before it. */
function aliasesOf(names: readonly string[]): AliasRecord[] {
  return names.slice(1).map((owner, i) => ({ owner, target: names[i] }));
}
