/** Senders that are followed at the same time; for one more, that is forgotten which was silent longest. */
const MOST_SENDERS = 256;
/** Numbers of a sender that are waited for: those that come late are not missing. */
const MOST_AWAITED = 1024;
/** A leap of more is no loss, but another way of counting. */
const MOST_MISSING = 1 << 24;

/** What is known of a sender. */
interface Sender {
  highest: number;
  readonly awaited: Set<number>;
}

/**
 * Counts datagrams that did not come, by the numbers in those that did. Each sender, which is an address
 * and a port, counts for itself, and starts again when it is started again.
 */
export class MissingDatagrams {
  readonly #senders = new Map<string, Sender>();
  #missing = 0;

  /** How many did not come up to now. */
  get count(): number {
    return this.#missing;
  }

  /**
   * Takes the number of a datagram that came.
   *
   * @param sender Its address and port.
   * @returns How many before it did not come, as far as this datagram shows it.
   */
  take(sender: string, id: number): number {
    const known = this.#senders.get(sender);
    if (known === undefined) {
      this.#follow(sender, id);
      return 0;
    }
    // Those heard last are at the end.
    this.#senders.delete(sender);
    this.#senders.set(sender, known);
    if (known.awaited.delete(id)) {
      this.#missing--;
      return 0;
    }
    const ahead = id - known.highest;
    if (ahead === 0) return 0;
    if (ahead < 0 || ahead > MOST_MISSING) {
      this.#begin(known, id);
      return 0;
    }
    for (let at = Math.max(known.highest + 1, id - MOST_AWAITED); at < id; at++) {
      known.awaited.add(at);
    }
    known.highest = id;
    for (const oldest of known.awaited) {
      if (known.awaited.size <= MOST_AWAITED) break;
      known.awaited.delete(oldest);
    }
    this.#missing += ahead - 1;
    return ahead - 1;
  }

  #follow(name: string, id: number): void {
    if (this.#senders.size === MOST_SENDERS) {
      const [silent] = this.#senders.keys();
      this.#senders.delete(silent);
    }
    this.#senders.set(name, { highest: id, awaited: new Set() });
  }

  #begin(sender: Sender, id: number): void {
    sender.highest = id;
    sender.awaited.clear();
  }
}
