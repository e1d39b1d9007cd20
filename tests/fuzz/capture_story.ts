/** What comes of a capture, read in different ways. */
import assert from "node:assert/strict";
import type { ReadBytes } from "../../src/capture/chunk_reader.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { TimeOrigin } from "../../src/capture/time_origin.ts";
import { type Config, Initiator, LowerPort, PortMatch, Service } from "../../src/config/mod.ts";
import type { Mapping } from "../../src/config/mapping.ts";
import { dnsOptionsOf } from "../../src/cli/dns_options_of.ts";
import { explainerOf } from "../../src/cli/explainer_of.ts";
import { CarriedNameNumbers } from "../../src/names/carried_name_numbers.ts";
import { DnsServices } from "../../src/names/encrypted_dns/dns_services.ts";
import { KnownNames } from "../../src/dns/known_names.ts";
import { EngineMemory } from "../../src/engine/engine_memory.ts";
import { FINGERPRINT_SECRETS, FINGERPRINT_SECRETS_SIZE, SECRETS } from "../../src/engine/layout.ts";
import { JsonLines } from "../../src/sink/json_lines.ts";
import { UserError } from "../../src/user_error.ts";
import { Meters } from "../../src/workers/meters.ts";
import { batchOf, type BatchPacket } from "../batches.ts";
import { assertPrintable } from "../hostile_text.ts";
import { jsonLinesOf } from "../json_lines_of.ts";
import { mappingOf } from "../observed_keys.ts";
import { SeededRandom } from "../seeded_random.ts";

const OUR_NETS = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "2001:db8::/32", "fd00::/8"];
const CONVERSATIONS = 1000;
const SUPPRESSED = 4000;
/** A pipe gives so many bytes at a time at most. */
const MOST_PIPED = 3000;

const CONFIGS: readonly Config<string>[] = [
  { flows: [[null, null, LowerPort()]], suppressOwnNetwork: false, multicastDns: true },
  { suppressOwnNetwork: false, dnsPorts: [53, 5300], ignoreDns: ["example.com"] },
  {
    networks: [["ours", "10.0.0.0/8", "192.168.0.0/16"], ["external", "0.0.0.0/0", "::/0"]],
    tunnels: "both",
    flows: [
      ["ours", "external", PortMatch([80, 443, 53])],
      ["external", null, ({ src, dst, sport }) => {
        return sport === 123 ? { client: dst, server: src, port: sport } : undefined;
      }],
      [null, null, Initiator()],
    ],
  },
  { tunnels: "outer", flows: [[null, null, Service()], [null, null, LowerPort()]] },
];

let mappings: readonly Mapping[] | null = null;

/** One of some mappings, which is always the same for the same number. */
export function someMapping(number: number): Mapping {
  mappings ??= CONFIGS.map((config) => mappingOf(config, OUR_NETS));
  return mappings[number % mappings.length];
}

/** What came of a capture. */
export interface CaptureStory {
  /** Of `--json`. */
  readonly lines: readonly string[];
  /** What was counted of packets, conversations and names. */
  readonly counted: unknown;
  readonly received: number;
  /** Why it could not be read on; empty where it could. */
  readonly error: string;
}

/** An engine with all that a run has around it, whose lines are collected. */
export class StoryMeters {
  readonly meters: Meters;
  lines: string[] = [];
  /** Of all times. */
  readonly origin = new TimeOrigin();

  constructor(mapping: Mapping, conversations = CONVERSATIONS) {
    const known = new KnownNames(1000);
    const carried = new CarriedNameNumbers(1000);
    const dnsServices = new DnsServices(dnsOptionsOf(mapping));
    const names = explainerOf(mapping, {
      ...{ known, carried, dnsServices, maxConversations: conversations },
    });
    const json = new JsonLines({ names, dnsServices, interfaces: ["eth0"], origin: this.origin });
    const add = (addLines: () => void) => {
      for (const line of jsonLinesOf(json, addLines)) this.#add(line);
    };
    this.meters = new Meters({
      mapping,
      names: known,
      carried,
      onDesignated: (resolver) => dnsServices.learn(resolver),
      onAnnouncement: () => {},
      memory: engineMemory(conversations),
      hasFlowRecords: true,
      recordInterval: 60,
      emit: (batch) => add(() => json.observations(batch)),
      emitNames: (writes, seconds) => add(() => writes.forEach((it) => json.name(it, seconds))),
      onRecords: (batch) => add(() => json.ends(batch)),
      onSeen: () => {},
    });
  }

  /** What came of what was taken since it was asked for last. */
  end(received: number, error: string): CaptureStory {
    const { engine } = this.meters;
    engine.end();
    engine.endRecords();
    const { lines } = this;
    this.lines = [];
    return { lines, counted: this.meters.statistics(), received, error };
  }

  #add(line: string): void {
    requireLine(line);
    this.lines.push(line);
  }
}

/**
 * The memory of an engine, with the same secrets as that of others: what gives way where a table is full
 * depends on them.
 */
function engineMemory(conversations: number): EngineMemory {
  const memory = new EngineMemory(conversations, SUPPRESSED);
  const random = new SeededRandom(1);
  const end = FINGERPRINT_SECRETS + FINGERPRINT_SECRETS_SIZE;
  for (let at = SECRETS; at < end; at++) memory.bytes[at] = random.below(256);
  return memory;
}

/** Each line is JSON, and has nothing in it that a terminal obeys. */
function requireLine(line: string): void {
  assert.ok(line.indexOf("\n") === line.length - 1, line);
  const { type, time, key } = JSON.parse(line);
  assert.ok(typeof type === "string" && typeof key === "string", line);
  assert.ok(!Number.isNaN(Date.parse(time)), line);
  // Most lines are plain, which is told faster than that a line is printable.
  if (!/^[ -~]*\n$/.test(line)) assertPrintable(line);
}

/** How a capture is read: the last ones as packets with other bytes between them. */
export type ReadingWay = "records" | "index" | "copies" | "pipe" | "zeros between" | "0x45 between";
export const READING_WAYS: readonly ReadingWay[] = ["records", "index", "copies", "pipe"];
export const SURROUNDED_WAYS: readonly ReadingWay[] = ["zeros between", "0x45 between"];

/** Engines that take one capture after the other, as those of a run for months do: one for each way. */
export class CaptureStories {
  readonly #meters = new Map<string, StoryMeters>();
  readonly #conversations: number;

  /** @param conversations Of which each engine has room for. */
  constructor(conversations = CONVERSATIONS) {
    this.#conversations = conversations;
  }

  /** What comes of a capture that is read in some way. */
  async of(file: Uint8Array, way: ReadingWay): Promise<CaptureStory> {
    // Files in pcapng have whole words.
    const mapping = (file.length >>> 2) % CONFIGS.length;
    const name = `${mapping} ${way}`;
    let meters = this.#meters.get(name);
    if (meters === undefined) {
      meters = new StoryMeters(someMapping(mapping), this.#conversations);
      this.#meters.set(name, meters);
    }
    const { received, error } = await readInto(file, meters, way);
    return meters.end(received, error);
  }

  /** Forgets all that was taken. */
  forget(): void {
    this.#meters.clear();
  }
}

/** Reads a capture file to its end, or to where it can't be read on. */
async function readInto(
  file: Uint8Array,
  { meters: { engine }, origin }: StoryMeters,
  way: ReadingWay,
): Promise<{ received: number; error: string }> {
  if (SURROUNDED_WAYS.includes(way)) {
    const packets = await packetsOf(file, origin);
    const filler = way === "zeros between" ? 0 : 0x45;
    for (let from = 0; from < packets.length; from += 500) {
      engine.take(batchOf(packets.slice(from, from + 500), 64, filler));
    }
    return { received: packets.length, error: "" };
  }
  const batch = way === "copies" ? undefined : engine.newBatch();
  if (way === "index") batch!.taker = null;
  const read = way === "pipe" ? pipeOf(file) : fileOf(file);
  const size = way === "pipe" ? 0 : file.length;
  const source = new SavefileSource("capture", read, { batch, size, origin });
  let error = "";
  try {
    for (let taken; (taken = await source.next()) !== null;) engine.take(taken);
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    error = thrown.message;
    assertPrintable(error);
  } finally {
    source.close();
  }
  return { received: source.statistics().received, error };
}

/** Reads a capture file with no engine behind it. @returns Why it could not be read on, or nothing. */
export async function errorOf(file: Uint8Array, isPipe: boolean): Promise<string> {
  const size = isPipe ? 0 : file.length;
  const source = new SavefileSource("capture", isPipe ? pipeOf(file) : fileOf(file), { size });
  try {
    while (await source.next() !== null);
    return "";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  } finally {
    source.close();
  }
}

/** The packets of a capture that is whole. */
export async function packetsOf(
  capture: Uint8Array,
  origin: TimeOrigin = new TimeOrigin(),
): Promise<BatchPacket[]> {
  const source = new SavefileSource("capture", fileOf(capture), { origin });
  const packets: BatchPacket[] = [];
  for (let batch; (batch = await source.next()) !== null;) {
    const { bytes, offset, captured, length, linkType, seconds, milliseconds } = batch;
    for (let i = 0; i < batch.count; i++) {
      packets.push({
        packet: bytes.slice(offset[i], offset[i] + captured[i]),
        length: length[i],
        linkType: linkType[i],
        seconds: seconds[i],
        milliseconds: milliseconds[i],
        interface: batch.interface[i],
      });
    }
  }
  return packets;
}

function fileOf(file: Uint8Array): ReadBytes {
  let at = 0;
  return (into) => {
    const part = file.subarray(at, at + into.length);
    at += part.length;
    into.set(part);
    return part.length === 0 ? null : part.length;
  };
}

function pipeOf(file: Uint8Array): ReadBytes {
  const random = new SeededRandom(file.length);
  const read = fileOf(file);
  return async (into) => await read(into.subarray(0, 1 + random.below(MOST_PIPED)));
}
