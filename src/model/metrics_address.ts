import { type HttpAddress, parseHttpAddress } from "./http_address.ts";

const DEFAULT_PORT = 3048;

/** How it is written, for messages. */
export const METRICS_ADDRESS_FORM = `127.0.0.1:${DEFAULT_PORT}, [::1]:${DEFAULT_PORT} or a port`;

/** Reads where metrics are served; `null` when it is no such place. */
export function parseMetricsAddress(text: string): HttpAddress | null {
  return parseHttpAddress(text, DEFAULT_PORT);
}
