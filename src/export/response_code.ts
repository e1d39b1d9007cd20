import type { DnsAnswer } from "./dns_answer.ts";

/** A response code of DNS (RFC 6895, section 2.3). */
export interface ResponseCode {
  readonly number: number;
  readonly name: string;
}

/**
 * The response code of the message that an answer was in. That of an alias is not known (`null`): what
 * it points at may not exist.
 */
export function responseCode({ type }: DnsAnswer): ResponseCode | null {
  if (type === "CNAME") return null;
  return type === null ? { number: 3, name: "NXDOMAIN" } : { number: 0, name: "NOERROR" };
}
