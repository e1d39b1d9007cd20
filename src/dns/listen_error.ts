import { UserError } from "../user_error.ts";
import type { ListenAddress } from "./listen_address.ts";

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
    const flags = address.transport === "unix"
      ? `--allow-read=${address.path} --allow-write=${address.path} --allow-net`
      : "--allow-net";
    return new UserError(`${text}: no permission, run with ${flags}`);
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
    return new UserError(`${text}: there is no such directory: make it first`);
  }
  return new UserError(`${text}: ${(error as Error).message.split("\n")[0]}`);
}
