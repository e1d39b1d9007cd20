import diagnostics from "node:diagnostics_channel";
import type { Socket } from "node:net";
import tls from "node:tls";

/** Node's channel that tells of each socket when it is made, before it connects. */
const SOCKET_CHANNEL = "net.client.socket";

/**
 * Tells of the sockets that a library makes in `start`, before that returns: a library that keeps
 * them to itself may leave a moment in which an error of theirs is nobody's, and ends the program.
 *
 * @param tell May be told of one more than once.
 */
export function socketsMadeBy<Result>(start: () => Result, tell: (socket: Socket) => void): Result {
  const listener = (message: unknown) => tell((message as { socket: Socket }).socket);
  // The channel does not tell of TLS over a socket that is there, and in Deno 2.6 of no TLS at all.
  const { connect } = tls;
  tls.connect = ((...parameters: Parameters<typeof connect>) => {
    const socket = connect(...parameters);
    tell(socket);
    return socket;
  }) as typeof connect;
  diagnostics.subscribe(SOCKET_CHANNEL, listener);
  try {
    return start();
  } finally {
    diagnostics.unsubscribe(SOCKET_CHANNEL, listener);
    tls.connect = connect;
  }
}
