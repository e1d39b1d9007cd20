/** A way to a collector: one transport session (RFC 7011, section 10). */
export interface IpfixTransport {
  /** How long messages may be, in bytes. */
  readonly mostBytes: number;
  /** Whether the other end has gone; nothing can be sent any more. */
  readonly isClosed: boolean;
  /** Whether what was sent may have been lost, so that templates are to be sent again. */
  readonly isUnreliable: boolean;
  /**
   * Sends a message.
   *
   * @throws {Error} when that can't be done now.
   */
  send(message: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): void;
}
