import { releaseUnusedMemory } from "../../ffi/unused_memory.ts";
import { cidrText } from "../config/cidr.ts";
import { loadConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { Log } from "../log.ts";
import { explained } from "../report/open_store_file.ts";
import { fileAt } from "../store/file_at.ts";
import { openSource } from "../report/open_source.ts";
import { setOwnNetworks } from "../report/own_networks_of_store.ts";
import type { ReportSource } from "../report/report_source.ts";
import { Sandbox } from "../sandbox/sandbox.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import { DEFAULT_PAGE_ADDRESS } from "../web/page_address.ts";
import { type PageCommandOptions, pageSettings } from "../web/page_options.ts";
import { PageServer } from "../web/page_server.ts";
import { StorePageData } from "../web/store_page_data.ts";
import { watchLoop } from "../workers/watch_loop.ts";
import { explainFlow } from "./explain_flow.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { sayPage } from "./say_page.ts";
import { sourceOf } from "./report_source_of.ts";
import { EndSignals } from "./signals.ts";
import { SpareMemory } from "./spare_memory.ts";

/** Options of the command line. */
export interface ServeOptions extends PageCommandOptions {
  config?: string;
  store?: string;
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  clickhouse?: string;
  clickhousePasswordFile?: PasswordFile;
  /** Whether the process is kept from what the command has no use for. */
  sandbox: boolean;
}

/** How often a Redis is read again, in milliseconds: all its keys are. A ClickHouse has more. */
const READ_EVERY = 15_000;
const READ_CLICKHOUSE_EVERY = 60_000;
/** Of a ClickHouse, the last day in which something was seen is shown. */
const SHOWN_OF_CLICKHOUSE = { latest: 86_400_000 };

/**
 * The command `serve`: shows a store, a Redis or lines of JSON as a page, until a signal ends it.
 *
 * @param parameters What to show, and own networks.
 * @returns The exit status.
 * @throws {UserError} when it can't be read, or the page can't be served.
 */
export async function serve(
  parameters: readonly string[],
  options: ServeOptions,
  log: Log,
): Promise<number> {
  const settings = pageSettings(options, options.listen ?? DEFAULT_PAGE_ADDRESS);
  const { names, networks } = partNamesAndNetworks(parameters);
  // Before the configuration, whose code is not ours, is run.
  new Sandbox(options.sandbox, log).close({ opensInterfaces: false });
  // Only code of the configuration is watched: a large store may take its time.
  const watched = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const watch = watchLoop(options.config);
    try {
      return await work();
    } finally {
      watch?.close();
    }
  };
  const { config, description } = await watched(() => loadConfig(options.config));
  const parsed = networks.length > 0 ? parseOwnNetworks(networks, log) : config.ourNets;
  const localNetworks = parsed.map(cidrText);
  const named = sourceOf("serve", names, options, config);
  const open = async () => {
    const source = await openSource(named, localNetworks, SHOWN_OF_CLICKHOUSE);
    // What is read of others has them already.
    explained(source.name, () => {
      if (!source.isCopy) setOwnNetworks(source.database, localNetworks, networks.length > 0);
    });
    return source;
  };
  const shown = new Shown(await open());
  const { source } = shown;
  const known = explained(source.name, () => {
    // Before anyone asks: it takes some seconds of a large store.
    shown.data.prepare();
    return shown.data.sensor?.localNetworks.split(" ") ?? [];
  });
  const own = localNetworks.length > 0 ? localNetworks : known.filter((it) => it !== "");
  const configuration = {
    mapping: new Mapping(config, parseOwnNetworks(own, log), log),
    description,
  };
  const signals = new EndSignals("end", log);
  using memory = new SpareMemory();
  const timer = named.name === "-"
    ? undefined
    : setInterval(() => shown.renew(open, log), shown.readEvery);
  try {
    await using server = new PageServer(
      {
        get data() {
          return shown.data;
        },
        explain: (flow) => watched(() => explainFlow(flow, configuration, log)),
        onAnswered: () => memory.used(),
      },
      settings,
      log,
    );
    sayPage(server.url, settings, options, log);
    signals.begin();
    await signals.received;
    return 0;
  } finally {
    clearInterval(timer);
    shown.close();
    signals.close();
  }
}

/**
 * What is shown: a store that others write, or what was read of a Redis, which is read again. So is a store
 * whose file is another one: the one before was put aside as damaged, or somebody took it away.
 */
class Shown {
  #source: ReportSource;
  #data: StorePageData;
  #file: string | null;
  #number = 0;
  #isReading = false;
  #isAway = false;

  constructor(source: ReportSource) {
    this.#source = source;
    this.#file = source.isCopy ? null : fileAt(source.name);
    this.#data = new StorePageData(source.database, { onFreed: releaseUnusedMemory });
  }

  get source(): ReportSource {
    return this.#source;
  }

  get data(): StorePageData {
    return this.#data;
  }

  /** How often it is looked for another one, in milliseconds. */
  get readEvery(): number {
    const { isCopy, hasFigures } = this.#source;
    return isCopy && hasFigures ? READ_CLICKHOUSE_EVERY : READ_EVERY;
  }

  /** Reads it again where it may be something else by now. */
  async renew(open: () => Promise<ReportSource>, log: Log): Promise<void> {
    if (this.#isReading) return;
    const { isCopy, name } = this.#source;
    const file = isCopy ? null : fileAt(name);
    if (!isCopy && (file === null || file === this.#file)) return;
    this.#isReading = true;
    try {
      const source = await open();
      const before = this.#source;
      const dataBefore = this.#data;
      const number = ++this.#number;
      this.#source = source;
      this.#file = file;
      this.#data = new StorePageData(source.database, {
        ownWrites: () => number,
        onFreed: releaseUnusedMemory,
      });
      dataBefore[Symbol.dispose]();
      before[Symbol.dispose]();
      if (!isCopy) log.info(`${source.name} is another file now, which is shown`);
      else if (this.#isAway) log.info(`${source.name} is read again`);
      this.#isAway = false;
    } catch (error) {
      // What was read last is shown until then.
      if (!this.#isAway) log.warn(`${(error as Error).message}; it is tried again`);
      this.#isAway = true;
    } finally {
      this.#isReading = false;
    }
  }

  close(): void {
    this.#data[Symbol.dispose]();
    this.#source[Symbol.dispose]();
  }
}
