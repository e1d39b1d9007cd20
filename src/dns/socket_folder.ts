/**
 * Where Unix sockets for dnstap are made, unless another place is named and permitted. systemd makes the
 * folder for a unit that asks for it (RuntimeDirectory).
 */
export const SOCKET_FOLDER = "/run/flosensor";
