/** What lines say beside what records have. */
export interface ExportContext {
  /** Whether an address is in the own networks; `null` where no own networks are known. */
  readonly isLocal: ((address: string) => boolean) | null;
  /** The sensor's name. */
  readonly sensor: string;
}
