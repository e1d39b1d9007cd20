import { dirname } from "node:path";

/**
 * Where Unix sockets for dnstap are made, unless another place is named and permitted. systemd makes the
 * folder for a unit that asks for it (RuntimeDirectory).
 */
export const SOCKET_FOLDER = "/run/flosensor";
/** Everybody may look for a socket there; the sockets' own modes say who may write to them. */
const MODE = 0o755;

/**
 * Makes the folder of a socket, if it is flosensor's own. /run is empty after each start of the
 * system, and a daemon makes its folder there itself, as systemd does it for a unit (file-hierarchy(7)).
 * Where that can't be done, listening says why.
 */
export function makeSocketFolder(path: string): void {
  if (dirname(path) !== SOCKET_FOLDER) return;
  try {
    Deno.mkdirSync(SOCKET_FOLDER, { mode: MODE });
  } catch {
    // It is there already, or this user may not make it.
  }
}
