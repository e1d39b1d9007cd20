/**
 * An address as other programs print it, with what packets don't carry left out: the zone of
 * `fe80::1%eth0` (RFC 4007, section 11), the brackets of `[2001:db8::1]` (RFC 3986, section 3.2.2).
 * A prefix length after it stays.
 */
export function bareAddress(text: string): string {
  return text.replace(/%[^/\]]*/, "").replace(/^\[([^\]]*)\](?=\/|$)/, "$1");
}
