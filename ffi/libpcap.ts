import { permittedVariable } from "../src/permitted_variable.ts";
import {
  LIBPCAP_PATHS,
  LIBPCAP_VARIABLE,
  type Library,
  LibraryAbsence,
  openLibrary,
} from "./library.ts";
import { textAt } from "./memory.ts";

/**
 * The functions of libpcap that are used, each described by its page pcap_NAME(3PCAP). `pcap_t *`,
 * `pcap_dumper_t *` and callbacks are `pointer`; an address whose memory is read is `usize`.
 */
const SYMBOLS = {
  activate: { name: "pcap_activate", parameters: ["pointer"], result: "i32" },
  close: { name: "pcap_close", parameters: ["pointer"], result: "void" },
  close_aside: { name: "pcap_close", parameters: ["pointer"], result: "void", nonblocking: true },
  compile: {
    name: "pcap_compile",
    parameters: ["pointer", "buffer", "buffer", "i32", "u32"],
    result: "i32",
  },
  create: { name: "pcap_create", parameters: ["buffer", "buffer"], result: "pointer" },
  datalink: { name: "pcap_datalink", parameters: ["pointer"], result: "i32" },
  datalink_val_to_description: {
    name: "pcap_datalink_val_to_description",
    parameters: ["i32"],
    result: "usize",
  },
  datalink_val_to_name: {
    name: "pcap_datalink_val_to_name",
    parameters: ["i32"],
    result: "usize",
  },
  dispatch: {
    name: "pcap_dispatch",
    parameters: ["pointer", "i32", "pointer", "pointer"],
    result: "i32",
  },
  dump_close: { name: "pcap_dump_close", parameters: ["pointer"], result: "void" },
  dump_fopen: {
    name: "pcap_dump_fopen",
    parameters: ["pointer", "pointer"],
    result: "pointer",
  },
  findalldevs: { name: "pcap_findalldevs", parameters: ["buffer", "buffer"], result: "i32" },
  fopen_offline: {
    name: "pcap_fopen_offline",
    parameters: ["pointer", "buffer"],
    result: "pointer",
  },
  freealldevs: { name: "pcap_freealldevs", parameters: ["usize"], result: "void" },
  freecode: { name: "pcap_freecode", parameters: ["buffer"], result: "void" },
  get_selectable_fd: {
    name: "pcap_get_selectable_fd",
    parameters: ["pointer"],
    result: "i32",
  },
  geterr: { name: "pcap_geterr", parameters: ["pointer"], result: "usize" },
  lookupnet: {
    name: "pcap_lookupnet",
    parameters: ["buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  set_buffer_size: {
    name: "pcap_set_buffer_size",
    parameters: ["pointer", "i32"],
    result: "i32",
  },
  set_datalink: { name: "pcap_set_datalink", parameters: ["pointer", "i32"], result: "i32" },
  set_promisc: { name: "pcap_set_promisc", parameters: ["pointer", "i32"], result: "i32" },
  set_snaplen: { name: "pcap_set_snaplen", parameters: ["pointer", "i32"], result: "i32" },
  set_timeout: { name: "pcap_set_timeout", parameters: ["pointer", "i32"], result: "i32" },
  setdirection: { name: "pcap_setdirection", parameters: ["pointer", "i32"], result: "i32" },
  setfilter: { name: "pcap_setfilter", parameters: ["pointer", "buffer"], result: "i32" },
  setnonblock: {
    name: "pcap_setnonblock",
    parameters: ["pointer", "i32", "buffer"],
    result: "i32",
  },
  stats: { name: "pcap_stats", parameters: ["pointer", "buffer"], result: "i32" },
  statustostr: { name: "pcap_statustostr", parameters: ["i32"], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Size of the buffer that takes libpcap's messages, `PCAP_ERRBUF_SIZE`, pcap(3PCAP). */
export const ERRBUF_SIZE = 256;

let library: Library<typeof SYMBOLS> | undefined;

/** The compiled file opens no other libpcap than the system's. */
function mayBeNamed(): boolean {
  return !Deno.build.standalone;
}

/**
 * libpcap, opened at the first call: the one that the environment variable
 * {@linkcode LIBPCAP_VARIABLE} names, otherwise the system's.
 *
 * @throws {UserError} when it is not found, not allowed, or not libpcap.
 */
export function libpcap(): Library<typeof SYMBOLS> {
  if (library === undefined) {
    const named = permittedVariable(LIBPCAP_VARIABLE);
    library = openLibrary(
      "libpcap",
      named === undefined ? LIBPCAP_PATHS : [named],
      SYMBOLS,
      named === undefined
        ? "install it (Debian and Ubuntu: apt install libpcap0.8; Fedora: dnf install libpcap; " +
          `Arch: pacman -S libpcap)${
            mayBeNamed() ? ` or name its file in ${LIBPCAP_VARIABLE}` : ""
          }`
        : `set ${LIBPCAP_VARIABLE} to the absolute path of libpcap, or unset it`,
    );
  }
  return library;
}

/**
 * Why there is no libpcap; `null` when there is one.
 *
 * @throws {UserError} when there is one that can't be used, or when the one that the environment
 * variable names is not there: what was asked for is not to be passed over.
 */
export function libpcapAbsence(): string | null {
  try {
    libpcap();
    return null;
  } catch (error) {
    const isNamed = permittedVariable(LIBPCAP_VARIABLE) !== undefined;
    if (!(error instanceof LibraryAbsence) || isNamed) throw error;
    return error.message;
  }
}

/** A link type's name as tcpdump writes it, such as `EN10MB`; its number when libpcap knows none. */
export function linkTypeName(linkType: number): string {
  return textAt(libpcap().symbols.datalink_val_to_name(linkType)) || String(linkType);
}

/** What a link type is, such as `Ethernet`; empty when libpcap doesn't say. */
export function linkTypeDescription(linkType: number): string {
  return textAt(libpcap().symbols.datalink_val_to_description(linkType));
}
