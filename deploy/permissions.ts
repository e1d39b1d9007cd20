import { FFI_PATHS } from "../ffi/library.ts";
import { EVERYWHERE } from "../src/cli/write_everywhere.ts";
import { SOCKET_FOLDER } from "../src/dns/socket_folder.ts";

/**
 * Sockets of Redis and what is compatible with it, as the packages of Debian, Fedora and Arch name
 * them. Deno asks for permission to read and to write the path of a socket to connect to it, and
 * compares paths letter by letter.
 */
const REDIS_SOCKETS: readonly string[] = [
  "/run/redis/redis-server.sock",
  "/run/redis/redis.sock",
  "/run/valkey/valkey-server.sock",
  "/run/valkey/valkey.sock",
  "/var/run/redis/redis-server.sock",
  "/var/run/redis/redis.sock",
  "/var/run/valkey/valkey-server.sock",
  "/var/run/valkey/valkey.sock",
];

/** Where a store is kept whose file config.ts names. systemd makes the folder too (StateDirectory=). */
const OWN_STORES = "/var/lib/flosensor";

/**
 * The options of deno that say what the compiled file may do; all else is denied, and nothing can
 * add to it. `docs/installation.md` has the reasons.
 *
 * @param sockets Paths of more sockets, of Redis or dnstap.
 */
export function compiledPermissions(sockets: readonly string[] = []): string[] {
  return [
    // Nobody is asked: a service has no terminal, and who has one could be talked into a yes.
    "--no-prompt",
    // The Redis client looks at variables that are not ours to read. They are unset for it.
    "--ignore-env",
    "--allow-env=JOURNAL_STREAM,NOTIFY_SOCKET,REDISCLI_AUTH,SUDO_UID,TERM",
    `--allow-ffi=${FFI_PATHS.join(",")}`,
    "--allow-net",
    "--allow-read",
    `--allow-write=${
      [EVERYWHERE, ...REDIS_SOCKETS, SOCKET_FOLDER, OWN_STORES, ...sockets].join(",")
    }`,
  ];
}
