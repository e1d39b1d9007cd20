/*
 * Names of public resolvers that speak DNS over HTTPS, with all below them: those that Firefox and
 * Chromium ship or that their operators document, as of 2026-11.
 */
const RESOLVERS = [
  "dns.google",
  "cloudflare-dns.com",
  "one.one.one.one",
  "dns.quad9.net",
  "dns9.quad9.net",
  "dns10.quad9.net",
  "dns11.quad9.net",
  "doh.opendns.com",
  "doh.familyshield.opendns.com",
  "dns.nextdns.io",
  "dns.adguard-dns.com",
  "doh.cleanbrowsing.org",
  "dns.controld.com",
  "freedns.controld.com",
  "dns.mullvad.net",
  "doh.xfinity.com",
  "dns.alidns.com",
  "doh.pub",
  "dns.sb",
  "dns0.eu",
  "odvr.nic.cz",
  "dns.digitale-gesellschaft.ch",
];

/** DNS over TLS (RFC 7858), and over QUIC (RFC 9250). */
const TLS_PORT = 853;
const HTTPS_PORT = 443;

/**
 * Which kind of encrypted DNS a service is, as far as port and name tell: `DoT`, `DoQ`, `DoH`, or `null`.
 *
 * @param protocol `tcp` or `udp`; empty where it is not known.
 */
export function encryptedDns(port: number, protocol: string, name: string | null): string | null {
  if (port === TLS_PORT) return protocol === "udp" ? "DoQ" : "DoT";
  if (port !== HTTPS_PORT || name === null) return null;
  return RESOLVERS.some((it) => name === it || name.endsWith(`.${it}`)) ? "DoH" : null;
}
