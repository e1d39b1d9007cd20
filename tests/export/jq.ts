import { isProgram } from "../installed.ts";

/** Whether jq can be run. */
export const HAS_JQ = isProgram("jq", "--version");

/** What to add to the name of a test that is skipped without jq. */
export const WITHOUT_JQ = HAS_JQ ? "" : " (skipped: jq is not installed)";

/** What a filter of jq makes of a text: the lines of its raw output. */
export async function jq(filter: string, text: string): Promise<string[]> {
  const process = new Deno.Command("jq", {
    args: ["--raw-output", "--compact-output", filter],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd().split("\n");
}
