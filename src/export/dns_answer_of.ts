import type { NameWrite } from "../dns/name_write.ts";
import type { DnsAnswer } from "./dns_answer.ts";

/** `<client>;<address, or name>;<kind>`: neither addresses nor names hold a semicolon. */
const KEY = /^([^;]+);([^;]+);(dns|cname|nx)$/;

/**
 * What a write of a key with names says.
 *
 * @param time When it was seen, in milliseconds since 1970-01-01 UTC.
 * @returns `null` for a key of another kind.
 */
export function dnsAnswerOf({ key, name }: NameWrite, time: number): DnsAnswer | null {
  const [, client, about, kind] = KEY.exec(key) ?? [];
  if (kind === "nx") return { time, client, name: withoutDot(about), type: null, data: null };
  if (kind === undefined || name === null) return null;
  if (kind === "cname") {
    return { time, client, name: withoutDot(name), type: "CNAME", data: withoutDot(about) };
  }
  const type = about.includes(":") ? "AAAA" : "A";
  return { time, client, name: withoutDot(name), type, data: about };
}

/** The root's name is its dot, and stays. */
function withoutDot(name: string): string {
  return name.length > 1 && name.endsWith(".") ? name.slice(0, -1) : name;
}
