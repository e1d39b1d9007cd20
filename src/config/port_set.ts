import { ConfigError } from "./config_error.ts";
import { shown } from "./shown.ts";

/** The largest port number: RFC 9293, section 3.1, and RFC 768 give a port 16 bits. */
export const MAXIMUM_PORT = 65535;
const BITS_OF_WORD = 32;

/** Whether this is a port that a service can have. Port 0 is reserved: RFC 6335, section 6. */
export function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 &&
    value <= MAXIMUM_PORT;
}

/** A set of ports that is asked without allocating: one bit a port. */
export class PortSet {
  /** For each port a bit, of words of 32. */
  readonly bits: Uint32Array = new Uint32Array((MAXIMUM_PORT + 1) / BITS_OF_WORD);
  /** The ports in ascending order, each once. */
  readonly ports: readonly number[];

  /**
   * @param ports What the user gave.
   * @param action Whose ports they are, for messages.
   * @throws {ConfigError} when they are no ports, or none.
   */
  constructor(ports: unknown, action: string) {
    this.ports = [...new Set(portsOf(ports, action))].sort((a, b) => a - b);
    for (const port of this.ports) this.bits[port >>> 5] |= 1 << (port & 31);
  }

  /** Whether the port is in the set. */
  has(port: number): boolean {
    return (this.bits[port >>> 5] & (1 << (port & 31))) !== 0;
  }

  /** The ports in a sentence: `53`, `80 or 443`. */
  inWords(): string {
    const last = this.ports.at(-1);
    return this.ports.length === 1 ? `${last}` : `${this.ports.slice(0, -1).join(", ")} or ${last}`;
  }

  /** The ports as config.ts writes them, in square brackets. */
  toString(): string {
    return `[${this.ports.join(", ")}]`;
  }
}

function portsOf(value: unknown, action: string): number[] {
  const isList = typeof value === "object" && value !== null && Symbol.iterator in value;
  if (!isList) {
    throw new ConfigError(`ports of ${action} are ${shown(value)}`, "give a list, as in [80, 443]");
  }
  const ports = [...value as Iterable<unknown>];
  if (ports.length === 0) {
    throw new ConfigError(
      `ports of ${action} are an empty list, which matches nothing`,
      action === "Assign" ? "name ports, or leave ports out to match all" : "name at least one",
    );
  }
  for (const port of ports) {
    if (!isPort(port)) {
      const remedy = typeof port === "string" && isPort(Number(port))
        ? `write ${Number(port)} without quotes`
        : `a port is a whole number from 1 to ${MAXIMUM_PORT}`;
      throw new ConfigError(`${shown(port)} in ${action} is not a port`, remedy);
    }
  }
  return ports as number[];
}
