import { UserError } from "../user_error.ts";

/** Why a worker can't go on, as it tells the main thread. */
export interface Failure {
  readonly kind: "failed";
  readonly message: string;
  /** That of a `UserError`, `null` for a defect. */
  readonly exitStatus: 1 | 2 | null;
  readonly stack: string;
}

/** Makes a message of an error. */
export function failureOf(error: unknown): Failure {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const exitStatus = error instanceof UserError ? error.exitStatus : null;
  return { kind: "failed", message, exitStatus, stack };
}

/** Makes an error of a message. */
export function errorOf({ message, exitStatus, stack }: Failure): Error {
  if (exitStatus !== null) return new UserError(message, exitStatus);
  const error = new Error(message);
  error.stack = stack;
  return error;
}
