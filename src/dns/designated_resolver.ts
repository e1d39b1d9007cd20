/** A resolver that another one designates, to be asked by encrypted DNS (RFC 9462). */
export interface DesignatedResolver {
  /** Its name, as `domainName` gives it. */
  readonly name: string;
  /** Its addresses, as `addressText` writes them, as far as they are hinted at. */
  readonly addresses: readonly string[];
  /** What it speaks, as ALPN has it: `dot`, `doq`, `h2`, `h3`. */
  readonly applicationProtocols: readonly string[];
  /** The port, where it is none of those that the protocols have by default. */
  readonly port: number | null;
}
