import { UserError } from "../src/user_error.ts";
import { interfaceNames } from "./network_interfaces.ts";
import { privilegesGivenUpFor } from "./privileges.ts";

/** The capabilities that capture needs, in the words of setcap(8). */
const CAPTURE_CAPABILITIES = "cap_net_raw,cap_net_admin+eip";

/** Why no packets can be taken from an interface. */
export class CaptureError extends UserError {
  override name = "CaptureError";

  /**
   * @param message One line.
   * @param isAbsence Whether the interface is away or not up, and may come back by itself.
   * @param isPermission Whether the process may not capture.
   */
  constructor(message: string, readonly isAbsence: boolean, readonly isPermission: boolean) {
    super(message);
  }
}

/** What to do when the process may not capture. */
export function permissionAdvice(): string {
  const user = privilegesGivenUpFor();
  if (user !== null) return `--user ${user} has given up what this needs: start again`;
  return `run as root, or once as root: setcap ${CAPTURE_CAPABILITIES} ${Deno.execPath()}`;
}

/** That there is no such interface, and which ones there are. */
export function absenceMessage(name: string): string {
  const names = interfaceNames();
  return `${name}: no such interface${names === null ? "" : `; there are ${names}`}`;
}

/** That an interface is not up, and what to do. */
export function downMessage(name: string): string {
  return `${name} is down: bring it up with: ip link set ${name} up`;
}
