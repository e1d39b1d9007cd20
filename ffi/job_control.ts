import { LIBC_PATHS, openLibrary } from "./library.ts";

/*
 * Of the C library, and not by `libc()`: opening what that has takes a tenth of the time that a short
 * replay takes.
 */
const SYMBOLS = {
  kill: { parameters: ["i32", "i32"], result: "i32" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** signal(7), the same on x86-64 and arm64. */
const SIGSTOP = 19;
const SIGTTIN = 21;
const SIGTTOU = 22;
/** `struct sigaction` of glibc has 152 bytes, and begins with the handler. */
const SIGACTION_SIZE = 152;
/** The handler that says that a signal is to be ignored. */
const SIG_IGN = 1n;
/** kill(2): the process group of whoever calls it. */
const OWN_GROUP = 0;
/** The descriptor of standard input. */
const STDIN = 0;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Symbols | undefined;

/** @throws {UserError} when there is none, or it may not be called. */
function open(): Symbols {
  const advice = "jobs are controlled under Linux with glibc only";
  return symbols ??= openLibrary("the C library", LIBC_PATHS, SYMBOLS, advice).symbols;
}

/** Whether functions of the C library can be called, without the user being asked for permission. */
export function mayControlJob(): boolean {
  const isAllowed = LIBC_PATHS.every((path) =>
    Deno.permissions.querySync({ name: "ffi", path }).state === "granted"
  );
  if (!isAllowed) return false;
  try {
    open();
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a signal is ignored, as nohup(1) has SIGHUP ignored for what it starts. To be asked before
 * the program listens for it.
 */
export function isIgnored(signal: number): boolean {
  const action = new Uint8Array(new ArrayBuffer(SIGACTION_SIZE));
  if (open().sigaction(signal, null, action) !== 0) return false;
  return new DataView(action.buffer).getBigUint64(0, true) === SIG_IGN;
}

/**
 * Does something while a signal is ignored, also by a program that takes the place of this one, until it
 * listens for it.
 */
export function withIgnored<Result>(signal: number, work: () => Result): Result {
  const { sigaction } = open();
  const before = new Uint8Array(new ArrayBuffer(SIGACTION_SIZE));
  sigaction(signal, ignoring(), before);
  try {
    return work();
  } finally {
    sigaction(signal, before, null);
  }
}

function ignoring(): Uint8Array<ArrayBuffer> {
  const action = new Uint8Array(new ArrayBuffer(SIGACTION_SIZE));
  new DataView(action.buffer).setBigUint64(0, SIG_IGN, true);
  return action;
}

/**
 * Stops the job that this process is part of, as a terminal does at Ctrl-Z, and returns when it goes
 * on. Also the task runner is stopped, that waits for us and would not stop by itself: otherwise the
 * shell would not notice.
 */
export function stopJob(): void {
  open().kill(OWN_GROUP, SIGSTOP);
}

/**
 * Whether this process may read from the terminal that standard input is: it is of the job in the
 * foreground, or the terminal controls no jobs (tcgetpgrp(3)).
 */
export function isInForeground(): boolean {
  const { tcgetpgrp, getpgrp } = open();
  const group = tcgetpgrp(STDIN);
  return group < 0 || group === getpgrp();
}

/**
 * Has a job in the background go on when it reads from the terminal, which then fails, or sets it, and
 * not stop: what it captures would be missing (signal(7), SIGTTIN and SIGTTOU).
 */
export function keepRunningInBackground(): void {
  for (const signal of [SIGTTIN, SIGTTOU]) open().sigaction(signal, ignoring(), null);
}
