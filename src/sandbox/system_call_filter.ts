import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { BpfAssembler } from "../capture/bpf_assembler.ts";
import { CHANGE_FILES, LOOKED_AT, NEVER_CALLED } from "./system_calls.ts";

/** A kind of machine, as Deno names it. */
export type Architecture = "x86_64" | "aarch64";

/** Instructions of the classic BSD packet filter, `<linux/bpf_common.h>`: ld [k]; a & k; jumps; ret. */
const LOAD = 0x20;
const AND = 0x54;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;

/** `struct seccomp_data` of `<linux/seccomp.h>`. Of the arguments, the lower halves are looked at. */
const DATA = { number: 0, architecture: 4, argument: (index: number) => 16 + 8 * index };

/** What the kernel does, `<linux/seccomp.h>`: it does the call, or lets it fail with this errno. */
const ALLOW = 0x7fff0000;
const FAIL = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** `<linux/audit.h>`. */
const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000003e,
  aarch64: 0xc00000b7,
};
/** From here on, calls on x86-64 are those of programs with addresses of 32 bits, under other numbers. */
const X32_CALLS = 0x40000000;

/** clone(2): what is made is a thread of this process; it gets a namespace of its own, of any kind. */
const CLONE_THREAD = 0x10000;
const CLONE_NEW_ANY = 0x7e020000;
/** open(2): to write, to make it, to empty it. */
const O_WRONLY_OR_RDWR = 0o3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
/** kill(2): the process group of whoever calls it, which Ctrl-Z stops. */
const OWN_GROUP = 0;
/** ioctl_tty(2): to type on a terminal as if the user did. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
/** socket(2). */
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const AF_BLUETOOTH = 31;
const SOCK_TYPE_MASK = 0xf;
const SOCK_RAW = 3;
const SOCK_PACKET = 10;
/** netlink(7): addresses and interfaces. */
const NETLINK_ROUTE = 0;
/** What libpcap captures with from nflog, and sets wireless interfaces up with. */
const LIBPCAP_NETLINK = [12, 16];

/** What the process still does. */
export interface Needs {
  /** Its number. */
  readonly pid: number;
  /** Whether it may have to open an interface again. */
  readonly opensInterfaces: boolean;
}

/** A program of seccomp(2), as it is put together. All calls that nothing is said of are done. */
class Filter {
  readonly #machine: 0 | 1;
  readonly #program = new BpfAssembler();
  readonly #looks: (() => void)[] = [];
  #places = 0;

  constructor(architecture: Architecture) {
    this.#machine = architecture === "x86_64" ? 0 : 1;
    this.#program.add(LOAD, DATA.architecture);
    this.#program.jumpIf(EQUAL, AUDIT_ARCHITECTURE[architecture], "native");
    // Calls of a 32-bit program have other numbers.
    this.#program.jump("refused");
    this.#program.place("native");
    this.#program.add(LOAD, DATA.number);
    if (architecture === "x86_64") this.#program.jumpIf(AT_LEAST, X32_CALLS, "refused");
  }

  /** Refuses calls, of which nothing is looked at but the number. */
  refuse(calls: Readonly<Record<string, readonly [number, number | null]>>): void {
    for (const numbers of Object.values(calls)) this.#at(numbers, "refused");
  }

  /** Says of a call that there is none like it: whoever called goes back to an older one. */
  hide(numbers: readonly [number, number | null]): void {
    this.#at(numbers, "hidden");
  }

  /** Looks at a call's arguments. What `look` sends nowhere is `otherwise`. */
  lookAt(
    numbers: readonly [number, number | null],
    otherwise: "allowed" | "refused" | "unsupported",
    look: (filter: Filter) => void,
  ): void {
    const place = `look ${this.#places++}`;
    if (!this.#at(numbers, place)) return;
    this.#looks.push(() => {
      this.#program.place(place);
      look(this);
      this.#program.jump(otherwise);
    });
  }

  /** Loads an argument, or those bits of it. */
  argument(index: number, mask?: number): this {
    this.#program.add(LOAD, DATA.argument(index));
    if (mask !== undefined) this.#program.add(AND, mask);
    return this;
  }

  /** Says what becomes of the call where the argument is one of these. */
  if(values: readonly number[], outcome: string): this {
    for (const value of values) this.#program.jumpIf(EQUAL, value, outcome);
    return this;
  }

  /** The same where it has any of these bits. */
  ifAnyOf(bits: number, outcome: string): this {
    this.#program.jumpIf(ANY_BIT, bits, outcome);
    return this;
  }

  /** Names a place within a look. */
  place(name: string): this {
    this.#program.place(name);
    return this;
  }

  /** Ends a way within a look. */
  otherwise(outcome: string): this {
    this.#program.jump(outcome);
    return this;
  }

  finish(): BpfInstruction[] {
    this.#program.jump("allowed");
    for (const look of this.#looks) look();
    const outcomes = {
      allowed: ALLOW,
      refused: FAIL | EPERM,
      hidden: FAIL | ENOSYS,
      unsupported: FAIL | EAFNOSUPPORT,
    };
    for (const [name, value] of Object.entries(outcomes)) {
      this.#program.place(name);
      this.#program.add(RETURN, value);
    }
    return this.#program.finish();
  }

  #at(numbers: readonly [number, number | null], place: string): boolean {
    const number = numbers[this.#machine];
    if (number !== null) this.#program.jumpIf(EQUAL, number, place);
    return number !== null;
  }
}

/**
 * The program that refuses what a sensor has no use for once its interfaces are open: other programs,
 * other processes, other users, the kernel's settings, and sockets of other kinds than it uses. Calls
 * that nobody knows yet are done: V8, the C library and the kernel change, and a sensor has to go on.
 */
export function systemCallFilter(
  architecture: Architecture,
  { pid, opensInterfaces }: Needs,
): BpfInstruction[] {
  const filter = new Filter(architecture);
  const { clone, clone3, kill, tgkill, ioctl, socket } = LOOKED_AT;
  filter.refuse(NEVER_CALLED);
  // Its flags lie in memory, where no filter may look. The C library then takes clone(2).
  filter.hide(clone3);
  filter.lookAt(
    clone,
    "refused",
    (it) => it.argument(0).ifAnyOf(CLONE_NEW_ANY, "refused").ifAnyOf(CLONE_THREAD, "allowed"),
  );
  filter.lookAt(kill, "refused", (it) => it.argument(0).if([pid, OWN_GROUP], "allowed"));
  filter.lookAt(tgkill, "refused", (it) => it.argument(0).if([pid], "allowed"));
  filter.lookAt(
    ioctl,
    "allowed",
    (it) => it.argument(1).if([TIOCSTI, TIOCLINUX], "refused"),
  );
  filter.lookAt(socket, "unsupported", (it) => {
    it.argument(0).if([AF_UNIX], "allowed");
    if (opensInterfaces) it.if([AF_PACKET, AF_BLUETOOTH], "allowed");
    // As without the capability: who waits for an interface says that it can't be opened again.
    else it.if([AF_PACKET], "refused");
    it.if([AF_INET, AF_INET6], "internet").if([AF_NETLINK], "netlink").otherwise("unsupported");
    const protocols = opensInterfaces ? [...LIBPCAP_NETLINK, NETLINK_ROUTE] : [NETLINK_ROUTE];
    it.place("netlink").argument(2).if(protocols, "allowed").otherwise("unsupported");
    it.place("internet").argument(1, SOCK_TYPE_MASK).if([SOCK_RAW, SOCK_PACKET], "refused")
      .otherwise("allowed");
  });
  return filter.finish();
}

/** The program that refuses to change files, and to open one to write to it. */
export function fileChangeFilter(architecture: Architecture): BpfInstruction[] {
  const filter = new Filter(architecture);
  const { open, openat, openat2 } = LOOKED_AT;
  filter.refuse(CHANGE_FILES);
  filter.hide(openat2);
  const writes = O_WRONLY_OR_RDWR | O_CREAT | O_TRUNC;
  filter.lookAt(open, "allowed", (it) => it.argument(1).ifAnyOf(writes, "refused"));
  filter.lookAt(openat, "allowed", (it) => it.argument(2).ifAnyOf(writes, "refused"));
  return filter.finish();
}
