import type { DatabaseSync } from "node:sqlite";
import type { ExpectedService } from "../config/expected_service.ts";
import { addressKey } from "./address_key.ts";

/** A service of the own networks, as it was seen. */
export interface SeenService {
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly clients: number;
  /** Milliseconds since 1970-01-01 UTC; 0 where it is not known. */
  readonly first: number;
  readonly name: string | null;
}

/** Own services that answered, by address. */
export function seenServices(database: DatabaseSync): SeenService[] {
  const rows = database.prepare(
    "SELECT v.server, v.port, v.protocol, v.first, count(u.id) AS clients, max(u.name) AS name " +
      "FROM service v JOIN usage u ON u.service = v.id WHERE v.is_local AND v.answered " +
      "AND (u.answered > 0 OR u.observations > 0) GROUP BY v.id",
  ).all() as unknown as SeenService[];
  const keys = new Map(rows.map((row) => [row, addressKey(row.server)]));
  return rows.map((row) => row).sort((a, b) => {
    const [one, other] = [keys.get(a)!, keys.get(b)!];
    return one === other ? a.port - b.port : one < other ? -1 : 1;
  });
}

/** Which of the expected services were not seen. Where protocols are not known, the port decides. */
export function neverSeen(
  expected: readonly ExpectedService[],
  seen: readonly SeenService[],
): ExpectedService[] {
  const known = new Set(
    seen.flatMap(({ server, port, protocol }) =>
      protocol === "" ? ["tcp", "udp"].map((it) => `${server} ${port} ${it}`) : [
        `${server} ${port} ${protocol}`,
      ]
    ),
  );
  return expected.filter(({ server, port, protocol }) =>
    !known.has(`${server} ${port} ${protocol}`)
  );
}
