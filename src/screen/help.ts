/** The keys of the live table, and what they do. */
export const LIVE_KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["tab, shift tab", "flows, services, what was refused, unreachable or not answered"],
  ["↑ ↓, page keys", "scroll; home and end, too; also k, j, space"],
  ["s, ← →", "sort by the next column, or by the one before; r turns the order round"],
  ["/", "filter; Enter applies it, Escape keeps the previous one, Ctrl-U empties it"],
  ["p", "pause: rows stay as they are, the capture goes on"],
  ["?", "show these keys"],
  ["q, Ctrl-C", "end the capture, and print the whole table"],
];

const KEYS_WIDTH = Math.max(...LIVE_KEYS.map(([keys]) => keys.length));

/** What the live table says of itself. */
export const HELP: readonly string[] = [
  "Any key goes back.",
  "",
  ...LIVE_KEYS.map(([keys, meaning]) => `  ${keys.padEnd(KEYS_WIDTH)}  ${meaning}`),
  "",
  "Filter: all that is typed must hold; a minus before it means not so.",
  "",
  "  client:10.0.0.0/24  server:…  host:…  port:443,8000-8999  proto:udp  name:example",
  "  by:lower-port  encrypted  local  refused  -by:syn",
  "  anything else is a part of an address or a name",
];
