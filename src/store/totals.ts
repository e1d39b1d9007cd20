/** What is summed up of usages and of time: columns of `usage`, `usage_step` and `volume`. */
export class Totals {
  observations = 0;
  conversations = 0;
  unexplained = 0;
  packetsClient = 0;
  packetsServer = 0;
  bytesClient = 0;
  bytesServer = 0;

  /** Adds others, or takes them away. */
  add(other: Totals, sign: 1 | -1 = 1): void {
    this.observations += sign * other.observations;
    this.conversations += sign * other.conversations;
    this.unexplained += sign * other.unexplained;
    this.packetsClient += sign * other.packetsClient;
    this.packetsServer += sign * other.packetsServer;
    this.bytesClient += sign * other.bytesClient;
    this.bytesServer += sign * other.bytesServer;
  }

  /** In the order of {@linkcode TOTALS_COLUMNS}. */
  values(): number[] {
    return [
      this.observations,
      this.conversations,
      this.unexplained,
      this.packetsClient,
      this.packetsServer,
      this.bytesClient,
      this.bytesServer,
    ];
  }
}

/** The columns that hold {@linkcode Totals}. */
export const TOTALS_COLUMNS = [
  "observations",
  "conversations",
  "unexplained",
  "packets_client",
  "packets_server",
  "bytes_client",
  "bytes_server",
] as const;
