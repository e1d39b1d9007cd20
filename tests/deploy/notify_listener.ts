/**
 * Listens on a Unix socket as a service manager does, sd_notify(3), and prints each message as a
 * line of JSON: `deno run --unstable-net notify_listener.ts PATH`.
 */
const socket = Deno.listenDatagram({ transport: "unixpacket", path: Deno.args[0] });
console.log(JSON.stringify("listening"));
for await (const [bytes] of socket) {
  console.log(JSON.stringify(new TextDecoder().decode(bytes)));
}
