import { allClosed } from "../../ffi/closings.ts";
import { ANY_DEVICE } from "../../ffi/device.ts";
import type { LoopWatch } from "../../ffi/loop_watch.ts";
import type { Direction } from "../../ffi/pcap_handle.ts";
import { giveUpPrivileges, requireOtherUser } from "../../ffi/privileges.ts";
import { restartBounded } from "../../ffi/restart_bounded.ts";
import { releaseUnusedMemory } from "../../ffi/unused_memory.ts";
import type { InterfaceSource } from "../capture/interface_source.ts";
import { ListeningSockets } from "../capture/listening_sockets.ts";
import { openInterfaces } from "../capture/open_interfaces.ts";
import { ownPrefixes } from "../capture/own_prefixes.ts";
import type { SourceChoice } from "../capture/source_choices.ts";
import { sourceKind } from "../capture/source_kind.ts";
import { type LoadedConfig, readConfig } from "../config/load.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import { EngineMemory } from "../engine/engine_memory.ts";
import type { Log } from "../log.ts";
import { UNTIL_OTHER_USER } from "../sandbox/capture_capabilities.ts";
import { Sandbox } from "../sandbox/sandbox.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { terminalRoom } from "../sink/terminal_room.ts";
import type { LiveTable } from "../screen/live_table.ts";
import { type PageCommandOptions, pageSettings, refuseWithoutListen } from "../web/page_options.ts";
import type { SensorFigures } from "../web/sensor_figures.ts";
import type { PageThread } from "../web/page_thread.ts";
import { watchLoop } from "../workers/watch_loop.ts";
import { WorkerPool } from "../workers/worker_pool.ts";
import { captureCounts } from "./capture_counts.ts";
import { captureHeartbeat } from "./capture_heartbeat.ts";
import { CaptureHints } from "./capture_hints.ts";
import type { CaptureMetrics } from "./capture_metrics.ts";
import { loadCaptureModules } from "./load_capture_modules.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import type { PacketWork, WorkStatistics } from "../workers/packet_work.ts";
import { Reading } from "../workers/reading.ts";
import { refuseMistakenNames } from "./refuse_mistaken_names.ts";
import { Run, type RunOptions } from "./run.ts";
import { sayPage } from "./say_page.ts";
import { ServiceManager } from "./service_manager.ts";
import { EndSignals } from "./signals.ts";
import { SpareMemory } from "./spare_memory.ts";
import { statisticsLine } from "./statistics.ts";
import { StopSignal } from "./stop_signal.ts";

/** Options of the command line. */
export interface CaptureOptions extends RunOptions, PageCommandOptions {
  snaplen: number;
  /** MiB. */
  buffer: number;
  promisc: boolean;
  direction: Direction;
  source: SourceChoice;
  /** Threads. */
  workers: number;
  /** The user to become once capture is open. */
  user?: string;
  /** Whether the process is kept from what a sensor has no use for. */
  sandbox: boolean;
}

/**
 * The command `capture`: takes packets from interfaces until a signal ends it.
 *
 * @param parameters Interfaces and own networks.
 * @returns The exit status.
 * @throws {UserError} for what is wrong at the start, and when no packets can be taken any more.
 */
export async function capture(
  parameters: readonly string[],
  options: CaptureOptions,
  log: Log,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  refuseWithoutListen(options);
  if (options.user !== undefined) bound(options.user, log);
  const sandbox = new Sandbox(options.sandbox, log);
  if (options.user === undefined) sandbox.begin(names);
  const ownNetworks = parseOwnNetworks(networks, log);
  if (names.length === 0) {
    throw new UserError(
      parameters.length === 0
        ? 'capture: no interface is named; "flosensor interfaces" lists them'
        : `capture: ${parameters.join(" ")} names no interface; "flosensor interfaces" lists them`,
      WRONG_USAGE,
    );
  }
  refuseMistakenNames(parameters, names, "interfaces", options.filter);
  const others = names.filter((name) => name !== ANY_DEVICE);
  if (others.length > 0 && others.length < names.length) {
    throw new UserError(
      `capture: ${ANY_DEVICE} is all interfaces, so packets of ${
        others.join(", ")
      } would be seen ` +
        `twice: name ${ANY_DEVICE}, or ${others.join(" ")}`,
      WRONG_USAGE,
    );
  }
  // Sources first: what they complain about is nearer to what was typed than a store that is away.
  const memory = options.workers === 1 ? new EngineMemory(options.maxConversations) : undefined;
  const opened = await open(names, options, memory, log);
  const mayOpenAgain = (sources: InterfaceSource[]) => sources.some((it) => it.needsPermission);
  if (options.user === undefined) {
    // Workers see to theirs themselves.
    const opensInterfaces = !(opened instanceof WorkerPool) && mayOpenAgain(opened);
    sandbox.keepCapabilities({ opensInterfaces });
  }
  const signals = new EndSignals("reload", log);
  const localServices = new ListeningSockets(log);
  let page: PageThread | null = null;
  let loopWatch: LoopWatch | null = null;
  let metrics: CaptureMetrics | null = null;
  try {
    page = await startPage(options, log);
    const runConfig = await becomeUser(options, log);
    // Before the configuration, whose code is not ours, is run.
    const opensInterfaces = options.user === undefined &&
      (opened instanceof WorkerPool || mayOpenAgain(opened));
    sandbox.close({ opensInterfaces });
    const defaultNetworks = () => {
      const found = [...new Set(names.flatMap((name) => ownPrefixes(name)))];
      log.info(`own networks: ${found.join(", ") || "none"}, from the interfaces`);
      return found;
    };
    if (!(opened instanceof WorkerPool)) await localServices.start();
    loopWatch = watchLoop(options.config);
    const interfaces = [...new Set(names)];
    const screen = await liveTable(interfaces, signals);
    const run = await Run.open(
      options,
      {
        mode: "capture",
        interfaces,
        sources: names,
        isLive: true,
        ownNetworks,
        defaultNetworks,
        localServices,
        memory,
        page: page?.worker,
        screen,
      },
      log,
      runConfig,
    );
    if (options.user !== undefined) sayUnreadable(run.configFiles, options.user, log);
    const work = opened instanceof WorkerPool ? opened : new Reading(opened, run.meters);
    try {
      if (opened instanceof WorkerPool) await startWorkers(opened, run, options);
      if (page !== null) await showRun(page, run, log);
      if (screen !== null) {
        screen.sensor = {
          figures: () => sensorFigures(work.statistics(), run.pending),
          ownNetworks: () => run.ownNetworks,
          dnsKinds: run.dnsServices,
        };
      }
      metrics = await startMetrics(run, work, interfaces, log);
      run.setHeartbeat(captureHeartbeat(run, work, interfaces));
      // SQLite puts what does not fit into memory into files.
      if (!run.writesFiles && page === null) sandbox.closeFiles();
    } catch (error) {
      // The run holds the terminal, and what it has opened.
      await run.finish(() => Promise.reject(error));
    }
    await new Capture(run, work, names, options, { page, metrics }, log).run(signals);
    return 0;
  } finally {
    loopWatch?.close();
    page?.close();
    metrics?.close();
    localServices.close();
    if (opened instanceof WorkerPool) opened.close();
    else for (const source of opened) source.close();
    await allClosed();
    signals.close();
  }
}

/** What shows the table on the terminal; `null` where there is none that it can be shown on. */
async function liveTable(
  interfaces: readonly string[],
  signals: EndSignals,
): Promise<LiveTable | null> {
  // Whoever has no terminal does not pay for loading it.
  if (terminalRoom() === null) return null;
  const { LiveTable } = await import("../screen/live_table.ts");
  return LiveTable.on({ sources: interfaces, quit: () => signals.interrupt() });
}

/** Starts the thread of the page, if there is to be one, while its files and its port may be had. */
async function startPage(options: CaptureOptions, log: Log): Promise<PageThread | null> {
  if (options.listen === undefined) return null;
  const settings = pageSettings(options, options.listen);
  const { PageThread } = await import("../web/page_thread.ts");
  const page = await PageThread.start(settings, log, releaseUnusedMemory);
  sayPage(page.url, settings, options, log);
  return page;
}

/** Has the page show what a run writes. */
async function showRun(page: PageThread, run: Run, log: Log): Promise<void> {
  const { explainFlow } = await import("./explain_flow.ts");
  page.explain = (flow) => explainFlow(flow, run.configuration, log);
  const { storePath } = run;
  if (storePath !== null) page.show(storePath);
}

/** Serves metrics, where that is asked for. */
async function startMetrics(
  run: Run,
  work: PacketWork,
  interfaces: readonly string[],
  log: Log,
): Promise<CaptureMetrics | null> {
  const place = run.metricsPlace;
  if (place === null) return null;
  // Whoever wants no metrics does not pay for loading what makes them.
  const { CaptureMetrics } = await import("./capture_metrics.ts");
  return new CaptureMetrics(place, run, work, interfaces, log);
}

/** Limits what the process can ever do, before anything is opened: the program may start again. */
function bound(user: string, log: Log): void {
  requireOtherUser(user);
  const missing = restartBounded(UNTIL_OTHER_USER);
  if (missing !== null) log.warn(`--user ${user}: ${missing}`);
}

/**
 * Becomes the user that the options name, if they name one. What is loaded and read later may lie where
 * only root may read, so that is done before.
 *
 * @returns Runs the configuration, if it was read.
 */
async function becomeUser(
  { user, config }: CaptureOptions,
  log: Log,
): Promise<(() => Promise<LoadedConfig>) | undefined> {
  if (user === undefined) return undefined;
  await loadCaptureModules();
  const runConfig = await readConfig(config);
  giveUpPrivileges(user);
  log.info(`privileges are given up: the user is ${user} now`);
  return runConfig;
}

/** Says at the start what a reload will say when it is too late to think about it. */
function sayUnreadable(files: readonly string[], user: string, log: Log): void {
  const file = files.find((it) => !mayRead(it));
  if (file === undefined) return;
  log.warn(
    `--user ${user}: that user may not read ${file}: SIGHUP can't load the configuration again`,
  );
}

function mayRead(file: string): boolean {
  try {
    Deno.openSync(file).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.PermissionDenied);
  }
}

/** Opens the interfaces, in this thread if that is the only one. */
async function open(
  names: readonly string[],
  options: CaptureOptions,
  memory: EngineMemory | undefined,
  log: Log,
): Promise<InterfaceSource[] | WorkerPool> {
  const live = {
    snaplen: options.snaplen,
    bufferMebibytes: options.buffer,
    promiscuous: options.promisc,
    direction: options.direction,
    filter: options.filter ?? null,
    fanoutGroup: null,
  };
  const kind = sourceKind(options.source, log);
  return options.workers === 1
    ? openInterfaces(kind, names, () => live, log, memory?.input)
    : await WorkerPool.open(options.workers, kind, names, live, options, log);
}

async function startWorkers(pool: WorkerPool, run: Run, options: CaptureOptions): Promise<void> {
  const { sockets } = run;
  if (sockets !== null) {
    sockets.onEndpointsChanged = () => pool.setOwnConnections(sockets.state());
  }
  run.onReload = () => pool.reload(run.ownNetworks);
  await pool.start(
    {
      ownNetworks: run.ownNetworks,
      own: sockets?.state() ?? null,
      wantsSeen: run.wantsSeen,
      recordInterval: run.recordInterval,
      hasFlowRecords: run.hasFlowRecords,
      wantsDevices: run.deviceBook !== null,
      hasCarriedNames: run.hasCarriedNames,
      user: options.user ?? null,
    },
    {
      emit: (batch) => run.write(batch),
      see: (batch) => run.see(batch),
      emitNames: (writes, seconds) => run.writeNames(writes, seconds),
      takeRecords: (batch) => run.takeRecords(batch),
      learn: (lookup) => run.names.learn(lookup),
      learnResolver: (resolver) => run.dnsServices.learn(resolver),
      learnDevice: (announcement, seconds) => run.deviceBook?.learn(announcement, seconds),
      carried: run.carried,
    },
  );
}

/** A capture that goes on. */
class Capture {
  readonly #run: Run;
  readonly #work: PacketWork;
  readonly #names: readonly string[];
  readonly #options: CaptureOptions;
  readonly #page: PageThread | null;
  readonly #metrics: CaptureMetrics | null;
  readonly #log: Log;
  readonly #hints: CaptureHints;
  readonly #serviceManager = new ServiceManager();
  readonly #failure = Promise.withResolvers<never>();
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(
    run: Run,
    work: PacketWork,
    names: readonly string[],
    options: CaptureOptions,
    { page, metrics }: { page: PageThread | null; metrics: CaptureMetrics | null },
    log: Log,
  ) {
    this.#run = run;
    this.#page = page;
    this.#metrics = metrics;
    this.#work = work;
    this.#names = [...new Set(names)];
    this.#options = options;
    this.#log = log;
    this.#hints = new CaptureHints(run, this.#names, options, log);
  }

  async run(signals: EndSignals): Promise<void> {
    const status = `capturing on ${this.#names.join(", ")}`;
    const reload = async () => {
      this.#serviceManager.reloading();
      await this.#run.reload();
      this.#hints.beginAnew();
      this.#serviceManager.ready(status);
    };
    using _memory = new SpareMemory();
    const stopSignal = new StopSignal(this.#run.table);
    signals.begin();
    signals.onReload = reload;
    // Whoever reads it may send the signal at once.
    this.#log.info(status);
    const { stats } = this.#options;
    const statisticsTimer = stats === undefined
      ? undefined
      : setInterval(() => this.#log.info(this.#statistics()), stats * 1000);
    this.#serviceManager.ready(status);
    this.#setState(null);
    try {
      await this.#run.finish(() => this.#capture(signals));
    } finally {
      stopSignal.close();
      clearInterval(statisticsTimer);
      this.#log.info(this.#statistics());
      this.#hints.atEnd(this.#work.statistics());
    }
  }

  async #capture(signals: EndSignals): Promise<void> {
    this.#flushAfterInterval();
    try {
      const reading = this.#work.run();
      await Promise.race([signals.received, this.#failure.promise, reading]);
      this.#run.hurry();
      this.#serviceManager.stopping();
      this.#setState("flosensor is stopping");
      this.#work.end();
      await Promise.race([this.#failure.promise, reading]);
    } finally {
      this.#isOver = true;
      clearTimeout(this.#flushTimer);
      // Reading has ended, or goes on in the sources that did not fail.
      this.#work.close();
    }
  }

  /** The interval may be another after each reload. */
  #flushAfterInterval(): void {
    this.#flushTimer = setTimeout(
      () => this.#flush().catch((error) => this.#failure.reject(error)),
      this.#run.flushInterval * 1000,
    );
  }

  async #flush(): Promise<void> {
    await this.#work.flush();
    if (this.#isOver) return;
    const statistics = this.#work.statistics();
    this.#hints.look(statistics);
    this.#page?.tell(sensorFigures(statistics, this.#run.pending));
    this.#flushAfterInterval();
    await this.#run.flushSinks();
  }

  /** What probes are told that ask whether it is ready. */
  #setState(state: string | null): void {
    if (this.#metrics !== null) this.#metrics.state = state;
  }

  #statistics(): string {
    return statisticsLine(captureCounts(this.#run, this.#work, this.#names));
  }
}

function sensorFigures({ sources }: WorkStatistics, pending: number): SensorFigures {
  return {
    packets: sources.reduce((sum, { received }) => sum + received, 0),
    dropped: sources.reduce((sum, it) => sum + it.droppedByKernel + it.droppedByInterface, 0),
    pending,
  };
}
