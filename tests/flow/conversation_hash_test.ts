import { hash4, hash6 } from "../../src/flow/conversation_hash.ts";
import { testHash } from "../chosen_conversations.ts";

const UDP = 17;

testHash("table", (addresses, ports) => {
  return addresses.length === 2
    ? hash4(addresses[0], addresses[1], ports, UDP)
    : hash6(Int32Array.from(addresses), 0, ports, UDP);
});
