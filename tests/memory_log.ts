import type { Log } from "../src/log.ts";

/** A log that keeps its lines, each as `level: message`. */
export class MemoryLog implements Log {
  readonly lines: string[] = [];
  readonly isDebug = true;

  debug(message: string): void {
    this.lines.push(`debug: ${message}`);
  }

  info(message: string): void {
    this.lines.push(`info: ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn: ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error: ${message}`);
  }
}
