/** What `--source` takes. */
export const SOURCE_CHOICES = ["libpcap", "af_packet", "auto"] as const;

/** One of {@linkcode SOURCE_CHOICES}. */
export type SourceChoice = typeof SOURCE_CHOICES[number];
