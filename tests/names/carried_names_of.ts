import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { addressText } from "../../src/model/address_text.ts";
import { IPV6_BIT } from "../../src/model/observation_batch.ts";
import {
  RECORD_CLIENT,
  RECORD_HEAD,
  RECORD_NAME,
  RECORD_PORTS,
  RECORD_SERVER,
  RECORD_WORDS,
} from "../../src/model/record_batch.ts";
import { CarriedNameNumbers } from "../../src/names/carried_name_numbers.ts";
import { ConversationNames } from "../../src/names/conversation_names.ts";
import { TestEngine } from "../engine/test_engine.ts";

/** `sni 10.0.0.1 1024 10.0.0.2 443 www.example`: a name, and the ends of its conversation in order. */
export function carriedText(by: string, one: string, other: string, name: string): string {
  return [by, ...[one, other].sort(), name].join(" ");
}

/** The names that an engine finds in the conversations of a capture. */
export async function carriedNamesOf(path: string): Promise<Set<string>> {
  const found = new Set<string>();
  const numbers = new CarriedNameNumbers();
  const { engine } = new TestEngine({
    config: { suppressOwnNetwork: false },
    firstPayloadReader: new ConversationNames(numbers),
    onRecords: ({ words, count }) => {
      for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
        const isIpv6 = (words[at + RECORD_HEAD] & IPV6_BIT) !== 0;
        const ports = words[at + RECORD_PORTS];
        const client = `${addressText(words, at + RECORD_CLIENT, isIpv6)} ${ports >>> 16}`;
        const server = `${addressText(words, at + RECORD_SERVER, isIpv6)} ${ports & 0xffff}`;
        for (const { by, name } of numbers.at(words[at + RECORD_NAME])) {
          if (name !== null) found.add(carriedText(by, client, server, name));
        }
      }
    },
  });
  const source = SavefileSource.open(path, engine.newBatch());
  for (let batch; (batch = await source.next()) !== null;) engine.take(batch);
  source.close();
  engine.end();
  engine.endRecords();
  return found;
}
