import { hostName } from "./host_name.ts";

/** IANA, "HTTP Method Registry", and those of SSDP (UPnP Device Architecture 2.0, section 1). */
const METHODS: readonly string[] = [
  ..."ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK"
    .split(" "),
  ..."MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH".split(
    " ",
  ),
  ..."PATCH POST PROPFIND PROPPATCH PUT REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT".split(" "),
  ..."UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL M-SEARCH NOTIFY".split(" "),
].map((method) => `${method} `);
/** Ends the first line, with a version after it. */
const VERSION = "HTTP/";
/** A request's head that is longer is given up. */
export const MOST_HEAD = 8192;
const HOST = "host:";
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const LOWER_CASE = 0x20;

/** Whether bytes begin with an HTTP request, as far as they go. */
export function mayBeHttp(bytes: Uint8Array, start: number, end: number): boolean {
  return METHODS.some((method) => {
    const size = Math.min(method.length, end - start);
    for (let i = 0; i < size; i++) {
      if (bytes[start + i] !== method.charCodeAt(i)) return false;
    }
    return size > 0;
  });
}

/**
 * Reads the Host of an HTTP request (RFC 9112, section 3.2).
 *
 * @param end Where what is there of it ends.
 * @returns The name or address, without a port; `undefined` if there may be one in what follows; `null`
 * if there is none.
 */
export function readHttpHost(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | null | undefined {
  let line = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== LF) continue;
    const lineEnd = at > line && bytes[at - 1] === CR ? at - 1 : at;
    // An empty line ends the head.
    if (lineEnd === line || (line === start && !hasVersion(bytes, line, lineEnd))) return null;
    if (line !== start && isHost(bytes, line, lineEnd)) return hostOf(bytes, line, lineEnd);
    line = at + 1;
  }
  return end - start < MOST_HEAD ? undefined : null;
}

/** Whether the last word of a line is a version of HTTP: other protocols have words like methods. */
function hasVersion(bytes: Uint8Array, start: number, end: number): boolean {
  let word = end;
  while (word > start && bytes[word - 1] !== SPACE) word--;
  if (end - word < VERSION.length) return false;
  for (let i = 0; i < VERSION.length; i++) {
    if (bytes[word + i] !== VERSION.charCodeAt(i)) return false;
  }
  return true;
}

function isHost(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < HOST.length) return false;
  for (let i = 0; i < HOST.length; i++) {
    const byte = bytes[start + i];
    const isUpper = byte >= 0x41 && byte <= 0x5a;
    if ((isUpper ? byte | LOWER_CASE : byte) !== HOST.charCodeAt(i)) return false;
  }
  return true;
}

function hostOf(bytes: Uint8Array, start: number, end: number): string | null {
  let from = start + HOST.length;
  let to = end;
  while (from < to && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  const host = hostName(bytes, from, to);
  return host === null ? null : withoutPort(host);
}

function withoutPort(host: string): string | null {
  const bracket = host.indexOf("]");
  if (host.startsWith("[") && bracket > 0) return host.slice(1, bracket);
  const colon = host.indexOf(":");
  const name = colon === -1 ? host : host.slice(0, colon);
  return name === "" ? null : name.replace(/\.$/, "");
}
