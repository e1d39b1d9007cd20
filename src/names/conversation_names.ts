import {
  type FirstPayload,
  type FirstPayloadReader,
  IS_NAMED,
  LOOK_AGAIN,
  READ_MORE,
} from "../packet/first_payload.ts";
import { PROTOCOL_TCP } from "../packet/packet_header.ts";
import type { CarriedNameNumbers } from "./carried_name_numbers.ts";
import { CarriedNames, type CarriedNamesOptions } from "./carried_names.ts";

/** What a {@linkcode ConversationNames} counted. */
export interface CarriedStatistics {
  /** Names that were found, by how they were carried. */
  readonly found: Readonly<Record<string, number>>;
  /** Hellos and requests that were given up for want of room before they were whole. */
  readonly givenUp: number;
}

/** Finds the names that conversations carry in their first payloads, and gives them numbers. */
export class ConversationNames implements FirstPayloadReader {
  readonly #names: CarriedNames;
  readonly #numbers: CarriedNameNumbers;
  readonly #found: Record<string, number> = { "sni": 0, "quic-sni": 0, "http-host": 0 };

  constructor(numbers: CarriedNameNumbers, options: CarriedNamesOptions = {}) {
    this.#numbers = numbers;
    this.#names = new CarriedNames(options);
  }

  read(payload: FirstPayload): number {
    const { key, otherKey, protocol, tcpFlags, sequence, isEarly, bytes, start, end } = payload;
    const names = this.#names;
    if (payload.isFirst) {
      names.forget(key);
      names.forget(otherKey);
    }
    const found = protocol === PROTOCOL_TCP
      ? names.takeSegment(key, sequence, tcpFlags, isEarly, bytes, start, end)
      : names.takeDatagram(key, bytes, start, end);
    if (found === null) {
      return names.isPending(key) || names.isPending(otherKey) ? READ_MORE : LOOK_AGAIN;
    }
    this.#found[found.by]++;
    const before = payload.name;
    payload.name = this.#numbers.with(before, found);
    const named = payload.name === before ? 0 : IS_NAMED;
    // The next request may be for another name, and TLS may follow CONNECT.
    return found.by === "http-host" ? named | LOOK_AGAIN : named;
  }

  /** What was counted up to now. */
  statistics(): CarriedStatistics {
    return { found: { ...this.#found }, givenUp: this.#names.givenUp };
  }
}
