/** What a client was told by DNS: one record of an answer, or that a name does not exist. */
export interface DnsAnswer {
  /** When it was seen, in milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** Who asked, as `addressText` writes addresses. */
  readonly client: string;
  /** The name that has the record, as `domainName` gives it but without a dot at its end. */
  readonly name: string;
  /** The record's type; `null` where the name does not exist. */
  readonly type: "A" | "AAAA" | "CNAME" | null;
  /** The address, or the name that an alias points at, without a dot; `null` as `type` is. */
  readonly data: string | null;
}
