import type { Mapping } from "../config/mapping.ts";
import type { Log } from "../log.ts";
import type { ExplainedKey } from "../web/page_server.ts";
import { explanation } from "./explain.ts";

/** A port of clients where theirs is not known: the first of those that are never given to services. */
const SOME_PORT = 49_152;

/**
 * What `explain` says of a flow that the page shows.
 *
 * @throws {UserError} when it is none.
 */
export async function explainFlow(
  { client, clientPort, server, port, protocol }: ExplainedKey,
  configuration: { readonly mapping: Mapping; readonly description: string },
  log: Log,
): Promise<string> {
  const flow = {
    src: client,
    sport: String(clientPort || SOME_PORT),
    dst: server,
    dport: String(port),
    protocol: protocol === "udp" ? "udp" as const : "tcp" as const,
  };
  const text = await explanation(flow, configuration, log);
  if (clientPort !== 0) return text;
  return `(The client's port is not known; ${SOME_PORT} stands for it.)\n\n${text}`;
}
