/** How a capture is compressed. */
export interface Compression {
  /** What it is called. */
  readonly name: string;
  /** The command that writes on standard output what is in a file, or in its standard input. */
  readonly command: string;
  /** The first bytes. */
  readonly magic: readonly number[];
  /** Whether it is read as it is. */
  readonly isRead: boolean;
}

/** RFC 1952, section 2.3.1. */
export const GZIP: Compression = {
  name: "gzip",
  command: "zcat",
  magic: [0x1f, 0x8b],
  isRead: true,
};
/** RFC 8878, section 3.1.1. */
export const ZSTD: Compression = {
  name: "zstd",
  command: "zstdcat",
  magic: [0x28, 0xb5, 0x2f, 0xfd],
  isRead: true,
};

/** All that is recognized; of those that are not read, the command is told. */
const COMPRESSIONS: readonly Compression[] = [
  GZIP,
  ZSTD,
  { name: "bzip2", command: "bzcat", magic: [0x42, 0x5a, 0x68], isRead: false },
  { name: "xz", command: "xzcat", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], isRead: false },
  { name: "lz4", command: "lz4cat", magic: [0x04, 0x22, 0x4d, 0x18], isRead: false },
  { name: "lzop", command: "lzop -dc", magic: [0x89, 0x4c, 0x5a, 0x4f], isRead: false },
  { name: "zip", command: "funzip", magic: [0x50, 0x4b, 0x03, 0x04], isRead: false },
];

/** More bytes than any {@linkcode Compression.magic} has. */
export const MAGIC_BYTES = 5;

/**
 * The compression that begins as these bytes do; `null` for none that is known.
 *
 * @param bytes At least {@linkcode MAGIC_BYTES}, or all that there are.
 */
export function compressionOf(bytes: Uint8Array): Compression | null {
  if (isSkippableFrame(bytes)) return ZSTD;
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte)) ?? null;
}

/** As pzstd(1) puts it in front of each frame: RFC 8878, section 3.1.2. */
function isSkippableFrame(bytes: Uint8Array): boolean {
  return (bytes[0] & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;
}
