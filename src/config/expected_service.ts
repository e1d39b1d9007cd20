/** A service of the own networks that is meant to be there. */
export interface ExpectedService {
  /** As `addressText` writes it. */
  readonly server: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Who may use it, as `cidrText` writes prefixes; empty for all. */
  readonly clients: readonly string[];
}
