/** An information element of IPFIX in a template (RFC 7011, section 3.2). */
export interface InformationElement {
  /** Its number (IANA, IPFIX Entities). */
  readonly id: number;
  /** Bytes that a value takes, or {@linkcode VARIABLE_LENGTH}. */
  readonly length: number;
  /** Whether it is of the other direction (RFC 5103, section 6.1). */
  readonly isReverse: boolean;
}
