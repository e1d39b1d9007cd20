/**
 * Where alerts go: the log, standard output as lines of JSON, a URL that they are sent to with POST, or
 * a syslog server by UDP (RFC 5424, RFC 5426).
 */
export type AlertPlace =
  | { readonly kind: "log" }
  | { readonly kind: "json" }
  | { readonly kind: "webhook"; readonly url: string }
  | { readonly kind: "syslog"; readonly host: string; readonly port: number };

/** RFC 5426, section 3.3. */
const SYSLOG_PORT = 514;

/** How places are written, for messages. */
export const ALERT_PLACE_FORM = '"log", "json", "https://host/path" or "syslog://host"';

/**
 * Reads where alerts go.
 *
 * @returns `null` when it is no such place.
 */
export function parseAlertPlace(text: string): AlertPlace | null {
  if (text === "log" || text === "json") return { kind: text };
  const url = URL.parse(text);
  if (url === null || url.hostname === "") return null;
  if (url.protocol === "http:" || url.protocol === "https:") return { kind: "webhook", url: text };
  if (url.protocol !== "syslog:") return null;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { kind: "syslog", host, port: Number(url.port) || SYSLOG_PORT };
}

/** A place as messages name it: what a URL has behind its host may be secret. */
export function alertPlaceName(place: AlertPlace): string {
  if (place.kind === "webhook") return new URL(place.url).origin;
  return place.kind === "syslog" ? `syslog://${place.host}:${place.port}` : place.kind;
}
