import type { JsonLines } from "../src/sink/json_lines.ts";

/** The lines that are added meanwhile, each with its line feed. */
export function jsonLinesOf(json: JsonLines, add: () => void): string[] {
  const decoder = new TextDecoder();
  let text = "";
  json.buffer.onPiece = (piece) => text += decoder.decode(piece, { stream: true });
  add();
  json.buffer.flush();
  return text.split(/(?<=\n)/).filter((line) => line !== "");
}
