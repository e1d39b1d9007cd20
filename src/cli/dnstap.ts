import { loadConfig } from "../config/load.ts";
import type { ValidConfig } from "../config/valid_config.ts";
import { clientAddress } from "../dns/client_address.ts";
import { Complaints } from "../dns/complaints.ts";
import { type DnsReading, readDnsMessage } from "../dns/dns_message.ts";
import { DnsMeter } from "../dns/dns_meter.ts";
import { CLIENT_RESPONSE, DNSTAP_TYPES, type DnstapPayload } from "../dns/dnstap.ts";
import { addressWords, dnstapJson } from "../dns/dnstap_json.ts";
import { DnstapListener } from "../dns/dnstap_listener.ts";
import { type ListenAddress, parseListenAddress } from "../dns/listen_address.ts";
import { listenText } from "../dns/listen_error.ts";
import { type Lookup, lookupsIn } from "../dns/lookup_datagram.ts";
import { LookupListener } from "../dns/lookup_listener.ts";
import { LookupSender } from "../dns/lookup_sender.ts";
import { parseSendAddress, type SendAddress } from "../dns/send_address.ts";
import { addressText } from "../model/address_text.ts";
import { FIRST_WINDOW, WINDOW_SECONDS } from "../model/windows.ts";
import { KeyWriter } from "../engine/key_writer.ts";
import type { Log, LogLevel } from "../log.ts";
import { Sandbox } from "../sandbox/sandbox.ts";
import { JsonSink } from "../sink/json_sink.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import type { Sink } from "../sink/sink.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { watchLoop } from "../workers/watch_loop.ts";
import { complain } from "./complain.ts";
import { beforeEndingAtOnce, endingWithUncaught } from "./ending.ts";
import { ServiceManager } from "./service_manager.ts";
import { EndSignals } from "./signals.ts";
import { dnsCounts } from "./sensor_counts.ts";
import { dnsText } from "./statistics.ts";
import { type Store, storeOf } from "./store.ts";

/** Options of the command line. */
export interface DnstapOptions {
  config?: string;
  /** A URL; `false` for no Redis at all. */
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  /** Whether payloads are printed. */
  json?: boolean;
  /** Interval in seconds. */
  stats?: number;
  /** Of Unix sockets. */
  socketMode?: number;
  multicastInterface?: string;
  /** Whether the process is kept from what the command has no use for. */
  sandbox: boolean;
  /** Where lookups are sent on to, as where to listen is written. */
  send?: string[];
  logLevel: LogLevel;
}

/** Client keys that are suppressed. */
const MOST_HELD_CLIENTS = 100_000;

/**
 * The command `dnstap`: takes what name servers and ShoDoHFlo's dnstap agents say, until a signal
 * ends it.
 *
 * @param places Where to listen.
 * @returns The exit status.
 * @throws {UserError} for what is wrong at the start, and when what was seen can't be written.
 */
export async function dnstap(
  places: readonly string[],
  options: DnstapOptions,
  log: Log,
): Promise<number> {
  const addresses = places.map(parseListenAddress);
  const sendTo = (options.send ?? []).map(parseSendAddress);
  refuseCircles(addresses, sendTo);
  const sandbox = new Sandbox(options.sandbox, log);
  // Before the configuration, whose code is not ours, is run.
  sandbox.close({ opensInterfaces: false });
  const loopWatch = watchLoop(options.config);
  const { config, description } = await loadConfig(options.config);
  log.info(`configuration: ${description}`);
  const signals = new EndSignals("reload", log);
  const service = new DnstapService(config, options, log);
  // Before it says that it listens: whoever reads that may send the signal at once.
  signals.onReload = () => void service.reload();
  try {
    await service.openSinks();
    await service.listen(addresses, sendTo);
    // A socket is removed at the end.
    if (addresses.every(({ transport }) => transport !== "unix")) sandbox.closeFiles();
    await service.run(signals);
    return 0;
  } finally {
    loopWatch?.close();
    signals.close();
  }
}

/** @throws {UserError} when what is sent would be received again. */
function refuseCircles(listenAt: readonly ListenAddress[], sendTo: readonly SendAddress[]): void {
  const places = new Set(listenAt.map(listenText));
  const both = sendTo.map(listenText).find((place) => places.has(place));
  if (both === undefined) return;
  throw new UserError(`--send ${both}: it is where to listen, too: leave out one`, WRONG_USAGE);
}

class DnstapService {
  readonly #options: DnstapOptions;
  readonly #log: Log;
  readonly #serviceManager = new ServiceManager();
  readonly #complaints: Complaints;
  readonly #sinks: Sink[] = [];
  /** Takes payloads as lines, where they are asked for. */
  #lines: JsonSink | null = null;
  readonly #dnstap: DnstapListener[] = [];
  readonly #lookups: LookupListener[] = [];
  readonly #senders: LookupSender[] = [];
  readonly #clients: KeyWriter;
  readonly #meter: DnsMeter;
  /** Payloads by type of message; those without any at 0. */
  readonly #types = new Float64Array(DNSTAP_TYPES.length + 1);
  #config: ValidConfig;
  #window = 0;

  constructor(config: ValidConfig, options: DnstapOptions, log: Log) {
    this.#config = config;
    this.#options = options;
    this.#log = log;
    this.#complaints = new Complaints(log);
    this.#clients = new KeyWriter(MOST_HELD_CLIENTS, (batch) => {
      for (const sink of this.#sinks) sink.write(batch);
    });
    this.#meter = new DnsMeter({
      emit: (writes) => {
        for (const sink of this.#sinks) sink.writeNames(writes, Math.floor(Date.now() / 1000));
      },
      onClient: (isIpv6, client) => this.#clients.writeClient(isIpv6, client),
      ignored: config.ignoreDns,
    });
    this.#setTime();
  }

  /** Redis, payloads as lines, or both; with neither, keys as lines. */
  async openSinks(): Promise<void> {
    const store = storeOf(this.#options, this.#config);
    if (store !== null) this.#sinks.push(await this.#openRedis(store));
    const lines = () => new JsonSink({ mode: "capture", log: this.#log });
    if (this.#options.json) this.#lines = lines();
    else if (this.#sinks.length === 0) this.#sinks.push(lines());
  }

  /** @param sendTo Where lookups are sent on to. */
  async listen(
    addresses: readonly ListenAddress[],
    sendTo: readonly SendAddress[],
  ): Promise<void> {
    try {
      for (const address of sendTo) {
        this.#senders.push(LookupSender.open(address, this.#options, this.#complaints));
        this.#log.info(`sending lookups to ${listenText(address)}`);
      }
      for (const address of addresses) {
        await this.#listenAt(address);
        this.#log.info(`listening on ${listenText(address)}`);
      }
    } catch (error) {
      this.#closeListeners();
      await Promise.allSettled([...this.#sinks, ...this.#senders].map((each) => each.close()));
      throw error;
    }
  }

  /** Until a signal, or until nothing can be written any more. */
  async run(signals: EndSignals): Promise<void> {
    const failure = Promise.withResolvers<never>();
    const timers = [
      setInterval(
        () => this.#flush().catch((error) => failure.reject(error)),
        this.#config.flushInterval * 1000,
      ),
    ];
    const { stats } = this.#options;
    if (stats !== undefined) {
      timers.push(setInterval(() => this.#log.info(this.#statistics()), stats * 1000));
    }
    signals.begin();
    this.#serviceManager.ready("listening");
    const forgetAbandoning = beforeEndingAtOnce(() => this.#abandon());
    try {
      await endingWithUncaught(() => Promise.race([signals.received, failure.promise]));
    } finally {
      this.#serviceManager.stopping();
      for (const timer of timers) clearInterval(timer);
      this.#closeListeners();
      for (const sink of this.#sinks) sink.hurry();
      await this.#close().finally(forgetAbandoning);
      this.#log.info(this.#statistics());
    }
  }

  async #openRedis({ url, ...login }: Store): Promise<Sink> {
    const { RedisSink } = await import("../sink/redis_sink.ts");
    const { ttl } = this.#config;
    return await RedisSink.connect(url, { ttl, mode: "capture", ...login }, this.#log);
  }

  async #listenAt(address: ListenAddress): Promise<void> {
    if (address.transport === "udp") {
      const { hostname, port } = address;
      const { multicastInterface } = this.#options;
      const onLookup = (lookup: Lookup) => this.#takeLookup(lookup);
      this.#lookups.push(
        await LookupListener.open(
          { transport: "udp", hostname, port },
          { onLookup, multicastInterface },
          this.#complaints,
        ),
      );
      return;
    }
    const onPayload = (payload: DnstapPayload) => this.#takePayload(payload);
    const { socketMode } = this.#options;
    this.#dnstap.push(
      await DnstapListener.open(address, { onPayload, socketMode }, this.#complaints, this.#log),
    );
  }

  #takePayload(payload: DnstapPayload): void {
    const { message } = payload;
    const type = message?.type ?? 0;
    this.#types[type < this.#types.length ? type : 0]++;
    this.#lines?.writeLine(dnstapJson(payload));
    if (message === undefined || type !== CLIENT_RESPONSE) return;
    const { queryAddress, responseMessage } = message;
    const words = queryAddress && addressWords(queryAddress);
    // A server may leave out either.
    if (!words || responseMessage === undefined) return;
    const { isIpv6, client } = clientAddress(queryAddress.length > 4, words);
    const reading = readDnsMessage(responseMessage, 0, responseMessage.length);
    this.#meter.take(reading, isIpv6, client, this.#window);
    if (this.#senders.length > 0) this.#sendOn(reading, addressText(client, 0, isIpv6));
  }

  #sendOn(reading: DnsReading, client: string): void {
    for (const lookup of lookupsIn(reading, client)) {
      for (const sender of this.#senders) sender.send(lookup);
    }
  }

  #takeLookup({ reading, isIpv6, client }: Lookup): void {
    this.#meter.take(reading, isIpv6, client, this.#window);
  }

  /** Windows are counted on a clock that never goes back. */
  #setTime(): void {
    this.#window = FIRST_WINDOW + Math.floor(performance.now() / 1000 / WINDOW_SECONDS);
    this.#clients.setTime(Math.floor(Date.now() / 1000), this.#window);
  }

  async #flush(): Promise<void> {
    this.#setTime();
    this.#meter.flush();
    this.#clients.flush();
    await Promise.all([...this.#sinks, this.#lines].map((sink) => sink?.flush()));
  }

  async #close(): Promise<void> {
    this.#meter.flush();
    this.#clients.flush();
    const sinks = [...this.#sinks, this.#lines, ...this.#senders];
    const results = await Promise.allSettled(sinks.map((sink) => sink?.close()));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  /** What is done where nothing can be waited for: losses are said. */
  #abandon(): void {
    this.#meter.flush();
    this.#clients.flush();
    for (const sink of [...this.#sinks, this.#lines]) {
      const error = sink?.abandon("the program was ended at once") ?? null;
      if (error !== null) complain(error.message);
    }
  }

  #closeListeners(): void {
    for (const listener of [...this.#dnstap, ...this.#lookups]) listener.close();
  }

  /** Loads the configuration again. If something is wrong with it, the present one stays. */
  async reload(): Promise<void> {
    this.#serviceManager.reloading();
    try {
      const { config, description } = await loadConfig(this.#options.config);
      this.#log.info(`configuration: ${description}`);
      this.#meter.ignored = config.ignoreDns;
      this.#config = config;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.error(`${message}; the configuration that was loaded before stays in place`);
      if (!(error instanceof UserError)) this.#log.debug(String((error as Error).stack));
    }
    this.#serviceManager.ready("listening");
  }

  #statistics(): string {
    const sum = (field: "open" | "connections" | "refused" | "frames" | "noise") =>
      this.#dnstap.reduce((total, { counts }) => total + counts[field], 0);
    const types = [...this.#types.entries()].filter(([, count]) => count > 0)
      .map(([type, count]) => `${count} ${DNSTAP_TYPES[type - 1] ?? "of no known type"}`);
    const all = [...this.#sinks, ...this.#lines === null ? [] : [this.#lines]];
    const pending = all.reduce((total, sink) => total + sink.pending, 0);
    const lost = all.reduce((total, sink) => total + sink.lost, 0);
    const parts = [
      `connections: ${sum("connections")}, ${sum("open")} open, ${sum("refused")} refused`,
      `frames: ${sum("frames")}${types.length === 0 ? "" : `, ${types.join(", ")}`}, ` +
      `${sum("noise")} no dnstap`,
    ];
    if (this.#lookups.length > 0) {
      const datagrams = this.#lookups.reduce((total, { counts }) => total + counts.datagrams, 0);
      const noise = this.#lookups.reduce((total, { counts }) => total + counts.noise, 0);
      const missing = this.#lookups.reduce((total, { counts }) => total + counts.missing, 0);
      parts.push(
        `datagrams: ${datagrams}, ${noise} lines that are no lookup` +
          (missing === 0 ? "" : `, ${missing} that did not arrive`),
      );
    }
    if (this.#senders.length > 0) {
      const sum = (field: "sent" | "repeated" | "lost") =>
        this.#senders.reduce((total, { counts }) => total + counts[field], 0);
      parts.push(
        `sent on: ${sum("sent")}, ${sum("repeated")} repeated within a second and left out` +
          (sum("lost") === 0 ? "" : `, ${sum("lost")} lost`),
      );
    }
    return [
      ...parts,
      dnsText(dnsCounts(this.#meter.statistics())),
      `${pending} queued` +
      (lost === 0 ? "" : `, ${lost} lost`),
    ].join("; ");
  }
}
