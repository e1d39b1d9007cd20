import { ListeningSockets } from "../capture/listening_sockets.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import type { Facts } from "../model/facts.ts";
import type { Mapping } from "../config/mapping.ts";
import { KnownNames } from "../dns/known_names.ts";
import { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import { correctionText } from "../engine/correction_text.ts";
import type { Log } from "../log.ts";
import { addressText } from "../model/address_text.ts";
import type { RecordBatch } from "../model/record_batch.ts";
import { plural } from "../sink/plural.ts";
import type { NamesOfFlow } from "../sink/flow_names.ts";
import { printable } from "../printable.ts";
import { recordOf } from "../sink/record_of.ts";
import { bytesText } from "../bytes_text.ts";
import { durationText } from "../duration_text.ts";
import { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { DeviceBook } from "../names/devices/device_book.ts";
import { localAddressesOf } from "./local_addresses_of.ts";
import { dnsOptionsOf } from "./dns_options_of.ts";
import { explainerOf } from "./explainer_of.ts";
import { aligned } from "./aligned.ts";
import { UserError } from "../user_error.ts";
import { Meters } from "../workers/meters.ts";

/**
 * Reads into the facts of a conversation what can be known without a capture: whether this host
 * listens at one of its ends.
 */
export async function readListening({ evidence, ...facts }: Facts, log: Log): Promise<void> {
  const sockets = new ListeningSockets(log);
  await sockets.refresh();
  const words = facts.family === 6 ? 4 : 1;
  const listens = (address: Uint32Array, port: number) =>
    sockets.has(Int32Array.from(address), 4 - words, words, port, facts.protocol);
  evidence.source.listens = listens(facts.source, facts.sourcePort);
  evidence.destination.listens = listens(facts.destination, facts.destinationPort);
}

/** What saved captures have of a conversation. */
export interface Replayed {
  /** What became of it, which names were looked up for its ends, who these are. */
  readonly lines: readonly string[];
  /** The names of its server; `null` where the captures don't have it. */
  readonly named: NamesOfFlow | null;
  /** What the captures say of which services are DNS. */
  readonly dnsServices: DnsServices;
}

/**
 * Replays saved captures, and reads into the facts of a conversation what they have of it.
 *
 * @throws {UserError} when one can't be read. One that is cut is read up to there.
 */
export async function readReplayed(
  files: readonly string[],
  facts: Facts,
  mapping: Mapping,
  log: Log,
): Promise<Replayed> {
  const corrections: string[] = [];
  const names = new KnownNames();
  const carried = new CarriedNameNumbers();
  const dnsServices = new DnsServices(dnsOptionsOf(mapping));
  const deviceBook = mapping.devices ? new DeviceBook({ local: localAddressesOf(mapping) }) : null;
  const explainer = explainerOf(mapping, { known: names, carried, dnsServices, deviceBook });
  const { engine } = new Meters({
    mapping,
    names,
    carried,
    onDesignated: (resolver) => dnsServices.learn(resolver),
    onAnnouncement: (announcement, seconds) => deviceBook?.learn(announcement, seconds),
    emit: () => {},
    emitNames: () => {},
    // Of others' conversations it is known when the captures begin, and who looks names up unseen.
    onRecords: (batch) => explainer.count(batch),
    onCorrection: (corrected, before, after) => {
      if (!isSameConversation(corrected, facts)) return;
      const text = `Corrected: ${correctionText(corrected, before, after)}`;
      // Each direction is corrected by itself.
      if (corrections.at(-1) !== text) corrections.push(text);
    },
  });
  for (const file of files) {
    const source = SavefileSource.open(file, engine.newBatch());
    let packets = 0;
    try {
      for (
        let batch;
        (batch = await source.next()) !== null;
        packets += batch.count + batch.taken
      ) {
        engine.take(batch);
      }
    } catch (error) {
      if (!(error instanceof UserError) || packets === 0) throw error;
      log.warn(error.message);
    } finally {
      source.close();
    }
  }
  const there = files.join(", ");
  const isThere = engine.readEvidence(facts);
  const record = engine.recordOf(facts);
  const figures = figureLines(record);
  const named = record === null ? null : explainer.of(record.words, 0);
  const lines = [
    isThere
      ? `The conversation is in ${there}.`
      : figures.length > 0
      ? `Of the conversation nothing but SYN, FIN and RST is in ${there}: no flow.`
      : `The conversation is not in ${there}; its ends may be.`,
    ...figures,
    ...(isThere ? corrections : []),
    ...await deviceLines(facts, deviceBook),
    ...lookedUp(facts, names),
    ...(named === null ? [] : explanationLines(named)),
  ];
  return { lines, named, dnsServices };
}

/** Who the ends are, by what they announced. */
async function deviceLines(
  { family, source, destination }: Facts,
  deviceBook: DeviceBook | null,
): Promise<string[]> {
  const lines: string[] = [];
  for (const words of [source, destination]) {
    const address = addressText(words, 0, family === 6);
    const device = await deviceBook?.find(address) ?? null;
    if (device !== null) lines.push(`${address} is ${deviceText(device)}`);
  }
  return lines;
}

/** Its name, hardware address and maker, as far as they are known. */
function deviceText({ names, hardware, vendor, isPrivate }: DeviceRecord): string {
  const name = names.length === 0 ? "a device" : `${printable(names[0].name)} (${names[0].from})`;
  const maker = isPrivate ? "private" : vendor;
  if (hardware === null) return name;
  return `${name}, ${hardware}${maker === null ? "" : ` (${printable(maker)})`}`;
}

/** The names of the server, with where each comes from, and whether a lookup explains the flow. */
function explanationLines({ names, isExplained, why }: NamesOfFlow): string[] {
  const named = names.map(({ name, from, isOuter }) =>
    `  ${printable(name)}  ${from}${
      isOuter === true ? ", in place of a name that is encrypted" : ""
    }`
  );
  return [
    ...(named.length === 0 ? [] : ["Names of the server:", ...named]),
    isExplained === true
      ? "A lookup explains the flow."
      : isExplained === false
      ? `No lookup explains the flow: ${printable(why ?? "")}.`
      : `Whether a lookup explains the flow is not asked: ${why}.`,
  ];
}

/** Either end may be the client. */
function lookedUp({ family, source, destination }: Facts, names: KnownNames): string[] {
  const isIpv6 = family === 6;
  return [[source, destination], [destination, source]].flatMap(([client, address]) => {
    const name = names.find(isIpv6, Uint32Array.of(...client, ...address), 0, client.length);
    const [asker, answer] = [client, address].map((words) => addressText(words, 0, isIpv6));
    return name === null ? [] : [`${asker} looked up ${name} -> ${answer}`];
  });
}

/** What was counted of it, and what it came to. */
function figureLines(batch: RecordBatch | null): string[] {
  if (batch === null) return [];
  const { client, clientPort, server, port, packets, bytes, first, last, state } = recordOf(
    batch.words,
    0,
    {},
  );
  const row = (end: string, which: 0 | 1) => [
    end,
    plural(packets[which], "packet"),
    bytesText(bytes[which]),
  ];
  return [
    `State: ${state}, for ${durationText(last - first)} from ${new Date(first).toISOString()}`,
    ...aligned([
      row(`from the client ${client} port ${clientPort}`, 0),
      row(`from the server ${server} port ${port}`, 1),
    ]),
  ];
}

function isSameConversation(one: Facts, other: Facts): boolean {
  const there = [one.source, one.sourcePort, one.destination, one.destinationPort].join();
  const back = [one.destination, one.destinationPort, one.source, one.sourcePort].join();
  const { source, sourcePort, destination, destinationPort } = other;
  const wanted = [source, sourcePort, destination, destinationPort].join();
  return one.protocol === other.protocol && one.family === other.family &&
    (there === wanted || back === wanted);
}
