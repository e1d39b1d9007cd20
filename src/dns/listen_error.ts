import { dirname } from "node:path";
import { permissionAdvice } from "../permission_advice.ts";
import { UserError } from "../user_error.ts";
import type { ListenAddress } from "./listen_address.ts";
import { SOCKET_FOLDER } from "./socket_folder.ts";

/** The address as the user wrote it. */
export function listenText(address: ListenAddress): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  const { transport, hostname, port } = address;
  return `${transport}:${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Why nothing can be listened to there, for the user. */
export function listenError(address: ListenAddress, error: unknown): UserError {
  const text = listenText(address);
  if (error instanceof Deno.errors.NotCapable) {
    const advice = address.transport === "unix"
      ? permissionAdvice(
        `--allow-read=${address.path} --allow-write=${address.path} --allow-net`,
        address.path,
      )
      : permissionAdvice("--allow-net");
    const { state } = Deno.permissions.querySync({ name: "write", path: SOCKET_FOLDER });
    const other = address.transport === "unix" && state === "granted"
      ? `choose a name in ${SOCKET_FOLDER}, or `
      : "";
    return new UserError(`${text}: no permission, ${other}${advice}`);
  }
  if (error instanceof Deno.errors.AddrInUse) {
    return new UserError(`${text}: somebody else listens there already`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new UserError(`${text}: this machine has no such address`);
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new UserError(
      `${text}: permission denied: choose another place, or run as another user`,
    );
  }
  if (error instanceof Deno.errors.NotFound && address.transport === "unix") {
    const folder = dirname(address.path);
    return new UserError(
      `${text}: there is no such directory: make it first, sudo install -d -o "$USER" ${folder}`,
    );
  }
  return new UserError(`${text}: ${(error as Error).message.split("\n")[0]}`);
}
