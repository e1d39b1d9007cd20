import { Option } from "commander";

/** Option of the commands that run for long, and so have a sandbox. */
export function sandboxOption(): Option {
  return new Option("--no-sandbox", "leave the process all system calls, see docs/security.md");
}
