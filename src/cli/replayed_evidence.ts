import { ListeningSockets } from "../capture/listening_sockets.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import type { Facts } from "../model/facts.ts";
import type { Mapping } from "../config/mapping.ts";
import { Engine } from "../engine/engine.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { correctionText } from "../engine/correction_text.ts";

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

/**
 * Replays saved captures, and reads into the facts of a conversation what they have of it.
 *
 * @returns Lines about what became of it in them.
 * @throws {UserError} when one can't be read. One that is cut is read up to there.
 */
export async function readReplayed(
  files: readonly string[],
  facts: Facts,
  mapping: Mapping,
  log: Log,
): Promise<string[]> {
  const corrections: string[] = [];
  const engine = new Engine({
    mapping,
    emit: () => {},
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
  const names = files.join(", ");
  if (engine.readEvidence(facts)) return [`The conversation is in ${names}.`, ...corrections];
  return [`The conversation is not in ${names}; its ends may be.`];
}

function isSameConversation(one: Facts, other: Facts): boolean {
  const there = [one.source, one.sourcePort, one.destination, one.destinationPort].join();
  const back = [one.destination, one.destinationPort, one.source, one.sourcePort].join();
  const { source, sourcePort, destination, destinationPort } = other;
  const wanted = [source, sourcePort, destination, destinationPort].join();
  return one.protocol === other.protocol && one.family === other.family &&
    (there === wanted || back === wanted);
}
