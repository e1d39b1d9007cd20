import type { DatabaseSync } from "node:sqlite";

/** A store to report from: one that is a file, or one in memory that something else was read into. */
export interface ReportSource extends Disposable {
  readonly database: DatabaseSync;
  /** What it is, for people: a file's name, a URL without its password. */
  readonly name: string;
  /** Whether it knows times, and how much. */
  readonly hasFigures: boolean;
  /** Whether it was read into memory, and may be something else by now. */
  readonly isCopy: boolean;
}
