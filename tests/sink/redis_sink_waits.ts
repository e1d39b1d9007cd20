import assert from "node:assert/strict";
import { UserError } from "../../src/user_error.ts";

/** Waits until something is so, and fails when it never is. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`never: ${isSo}`);
}

/** The message of the error of the user's that something ends with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  let message = "";
  await assert.rejects(promise, (error) => {
    message = (error as Error).message;
    return error instanceof UserError && error.exitStatus === 1;
  });
  return message;
}
