import { sendDatagram } from "../../ffi/datagram.ts";
import { permittedVariable } from "../permitted_variable.ts";
import { printable } from "../printable.ts";

/** Names the socket on which the service manager listens, sd_notify(3). */
const VARIABLE = "NOTIFY_SOCKET";

/**
 * Tells systemd how far we are, if it was systemd that started us and wants to know: a unit of
 * `Type=notify`. The texts are those of sd_notify(3).
 */
export class ServiceManager {
  readonly #socket: string | undefined = permittedVariable(VARIABLE);

  /** We do what we are for. @param status One line for `systemctl status`. */
  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${printable(status)}`);
  }

  /** We read the configuration again; {@linkcode ServiceManager.ready} follows. */
  reloading(): void {
    this.#send("RELOADING=1\nSTATUS=reading the configuration again");
  }

  /** We end. */
  stopping(): void {
    this.#send("STOPPING=1\nSTATUS=writing what is pending");
  }

  #send(text: string): void {
    if (this.#socket !== undefined) sendDatagram(this.#socket, text);
  }
}
