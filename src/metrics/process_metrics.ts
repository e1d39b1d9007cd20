import process from "node:process";
import { VERSION } from "../version.ts";
import type { Metrics, Row } from "./metric.ts";

/** What every program that Prometheus asks says of itself. */
interface ProcessState {
  readonly build: readonly Row[];
  readonly start: readonly Row[];
  /** Seconds of processor time. */
  readonly cpu: readonly Row[];
  /** Bytes. */
  readonly memory: readonly Row[];
}

/** With the names that Prometheus's own libraries use. */
export const PROCESS_METRICS: Metrics<ProcessState> = {
  build: {
    name: "flosensor_build_info",
    help: "1, with what the program is.",
    type: "gauge",
    labels: ["version", "deno", "target"],
  },
  start: {
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since 1970-01-01 UTC.",
    type: "gauge",
    labels: [],
  },
  cpu: {
    name: "process_cpu_seconds_total",
    help: "Processor time of all threads, in seconds.",
    type: "counter",
    labels: [],
  },
  memory: {
    name: "process_resident_memory_bytes",
    help: "Resident memory, in bytes.",
    type: "gauge",
    labels: [],
  },
};

/** What the process is and uses now. */
export function processState(): ProcessState {
  const { user, system } = process.cpuUsage();
  return {
    build: [[1, VERSION, Deno.version.deno, Deno.build.target]],
    start: [[performance.timeOrigin / 1000]],
    // Microseconds.
    cpu: [[(user + system) / 1e6]],
    memory: [[Deno.memoryUsage().rss]],
  };
}
