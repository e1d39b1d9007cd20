/**
 * SIGHUP, from the first moment of the program on.
 *
 * @module
 */
const SIGNAL = "SIGHUP";
/** The commands that load their configuration again at SIGHUP. */
const RELOADING_COMMANDS = ["capture", "dnstap"];

let take: (() => void) | null = null;
/** Whether one came before anybody wanted to know. */
let isKept = false;
let isListening = false;

const listener = () => {
  if (take === null) isKept = true;
  else take();
};

function listen(): void {
  if (!isListening) Deno.addSignalListener(SIGNAL, listener);
  isListening = true;
}

/**
 * Has the signal wait, if the command is one that loads its configuration again: whoever sends it
 * while the program still starts means the same as later.
 */
export function keepHangUps(parameters: readonly string[]): void {
  if (parameters.some((it) => RELOADING_COMMANDS.includes(it))) listen();
}

/** Takes each signal, also one that came already. @param taker What it does. */
export function takeHangUps(taker: () => void): void {
  listen();
  take = taker;
  if (isKept) taker();
  isKept = false;
}

/** The signal does nothing from now on. */
export function ignoreHangUps(): void {
  take = () => {};
}
