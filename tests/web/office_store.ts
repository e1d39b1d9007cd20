import { batchOf, NO_LOSSES, TestStore } from "../store/test_store.ts";
import { LOCAL_NETWORKS, officeNetwork } from "./office_network.ts";

/** A store of the office network, as a sensor writes it. */
export function officeStore(): TestStore {
  const store = new TestStore({
    mode: "capture",
    sources: ["eth0"],
    localNetworks: LOCAL_NETWORKS,
    version: "0.1.0",
    hasRecords: true,
  });
  store.writer.write(batchOf(officeNetwork()), NO_LOSSES, true);
  return store;
}
