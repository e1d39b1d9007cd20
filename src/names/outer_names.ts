/**
 * Names that clients ask for without encryption in place of the encrypted ones (RFC 9849), as operators
 * publish them in the HTTPS records of their customers; seen in 2026-11. Others are known where such a
 * record was seen on the wire.
 */
export const OUTER_NAMES: ReadonlySet<string> = new Set([
  // Cloudflare: https://developers.cloudflare.com/ssl/edge-certificates/ech/
  "cloudflare-ech.com",
  // Cloudflare's of the tests of browsers: https://defo.ie, https://tls-ech.dev
  "public.tls-ech.dev",
  "cover.defo.ie",
]);
