import { COUNTER_SCRIPT } from "./counter_script.ts";
import { CounterWriter } from "./counter_writer.ts";
import { NAME_SCRIPT } from "./name_script.ts";
import { NameWriter } from "./name_writer.ts";
import type { OpenOptions } from "./open_redis.ts";
import type { PendingName } from "./pending_names.ts";
import { RedisConnection, RedisReplyError } from "./redis_connection.ts";
import { forbidsScripts, RedisScript } from "./redis_script.ts";
import { slotOf } from "./redis_slots.ts";
import type { RedisTarget } from "./redis_target.ts";
import type { RedisAddress } from "./redis_url.ts";
import { Replication } from "./replication.ts";
import type { Writers } from "./write_batches.ts";
import { outcomeOfScript, type WriteOutcome } from "./write_outcome.ts";

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
const SLOTS = 16_384;
/** How often keys follow where nodes send them: slots may be moved meanwhile. */
const MOST_ROUNDS = 8;
/** A node has it that this slot is, or is going to be, at another one. */
const REDIRECTION = /^(MOVED|ASK) \d+ (.*):(\d+)$/;
/** Some keys of one slot are at one node, and some at another. */
const SPLIT_SLOT = /^TRYAGAIN\b/;
const COUNTERS = new RedisScript(COUNTER_SCRIPT);
const NAMES = new RedisScript(NAME_SCRIPT);

/** A node, and the connection to it while there is one. */
interface Node {
  readonly address: RedisAddress;
  /** Host and port. */
  readonly text: string;
  link: Link | null;
  /** Why there is no connection; `null` where none was tried. */
  error: Error | null;
  /** The attempt to connect. */
  opening: Promise<Link> | null;
}

/** What goes over one connection. */
interface Link {
  readonly connection: RedisConnection;
  readonly replication: Replication;
  /** They write keys of one slot, where scripts are not permitted. */
  readonly writers: Writers;
  usesScripts: boolean;
}

/** Keys of one slot. */
interface Group {
  readonly slot: number;
  /** Which of the batch. */
  readonly indexes: number[];
  /** The node that was named for this once, while the slot is being moved to it. */
  asked: Node | null;
}

/** What is written. */
interface Batch {
  readonly keys: readonly string[];
  /** One for each key, or none. */
  readonly values: readonly string[] | null;
  readonly ttl: string;
  readonly script: RedisScript;
  /** Writes some of them without scripts. */
  readonly writePlainly: (writers: Writers, indexes: readonly number[]) => Promise<WriteOutcome>;
}

/** What became of a batch up to now. */
interface Collected extends WriteOutcome {
  readonly undone: number[];
  readonly refused: number[];
  reason: string;
  fault: Error | null;
  where?: string;
}

/**
 * The masters of a Redis Cluster. Keys go to the node that has their slot, those of one slot in one
 * call, and follow where nodes send them. A key counts as written when a replica has it too.
 *
 * Connections are those of {@linkcode RedisConnection}, as with one server: they are known as our own,
 * log in with what the password's file says now, and are told in the server's words when they fail. The
 * library's cluster client makes its own, of which it tells nobody.
 */
export class RedisCluster implements RedisTarget {
  readonly writers: Writers;
  readonly #address: RedisAddress;
  readonly #options: Required<OpenOptions>;
  /** Those that were named by the user. */
  readonly #seeds: readonly Node[];
  /** Those that have slots, by host and port, and others that keys were sent to. */
  readonly #nodes = new Map<string, Node>();
  readonly #slots = new Array<Node | undefined>(SLOTS).fill(undefined);
  #mending: Promise<boolean> | null = null;
  /** With which of those that are connected it begins to ask for the slots. */
  #turn = 0;
  #isClosed = false;
  #onClosed: (error: Error) => void = () => {};
  #onPartLost: (error: Error, where: string) => void = () => {};

  private constructor(address: RedisAddress, options: Required<OpenOptions>) {
    this.#address = address;
    this.#options = options;
    const seeds = address.nodes ?? [address];
    this.#seeds = seeds.map(({ host, port }) => nodeOf({ ...address, host, port }));
    this.writers = {
      counters: {
        write: (keys, counts, ttl) =>
          this.#write({
            keys,
            values: counts,
            ttl,
            script: COUNTERS,
            writePlainly: ({ counters }, indexes) => {
              const some = counts === null ? null : indexes.map((i) => counts[i]);
              return counters.write(indexes.map((i) => keys[i]), some, ttl);
            },
          }),
      },
      names: {
        write: (writes, ttl) =>
          this.#write({
            keys: writes.map(({ key }) => key),
            values: writes.map(valueOf),
            ttl,
            script: NAMES,
            writePlainly: ({ names }, indexes) => names.write(indexes.map((i) => writes[i]), ttl),
          }),
      },
    };
  }

  /**
   * Asks one of the nodes for all of them, and connects to them.
   *
   * @param address Of one, or of some in `nodes`.
   * @throws {Error} when none answers.
   */
  static async open(address: RedisAddress, options: Required<OpenOptions>): Promise<RedisCluster> {
    const cluster = new RedisCluster(address, options);
    try {
      await cluster.mend();
    } catch (error) {
      cluster.destroy();
      throw error;
    }
    return cluster;
  }

  get servers(): readonly RedisConnection[] {
    return this.#linked().map(({ link }) => link!.connection);
  }

  get isPartlyUsable(): boolean {
    return !this.#isClosed && this.#linked().length > 0;
  }

  set onClosed(listener: (error: Error) => void) {
    this.#onClosed = listener;
  }

  set onPartLost(listener: (error: Error, where: string) => void) {
    this.#onPartLost = listener;
  }

  async call(command: string[]): Promise<unknown> {
    const slot = slotOf(command[1]);
    let node = this.#slots[slot];
    let isAsked = false;
    for (let round = 0;; round++) {
      if (node === undefined) throw notServed();
      const { connection } = await this.#linkOf(node);
      const replies = await connection.pipeline(isAsked ? [["ASKING"], command] : [command]);
      const reply = replies.at(-1);
      if (!(reply instanceof Error)) return reply;
      const redirection = reply instanceof RedisReplyError ? this.#follow(reply, node) : null;
      if (redirection === null || round === MOST_ROUNDS) throw reply;
      ({ node, isAsked } = redirection);
      if (!isAsked) this.#slots[slot] = node;
    }
  }

  async values(server: RedisConnection, keys: readonly string[]): Promise<(string | null)[]> {
    const replies = await server.pipeline(keys.map((key) => ["GET", key]));
    return await Promise.all(replies.map(async (reply, i) => {
      if (reply instanceof RedisReplyError && REDIRECTION.test(reply.message)) {
        reply = await this.call(["GET", keys[i]]).catch((error) => error);
      }
      if (!(reply instanceof Error)) return reply as string | null;
      if (reply.message.startsWith("WRONGTYPE")) return null;
      throw reply;
    }));
  }

  mend(): Promise<boolean> {
    return this.#mending ??= this.#learnSlots().finally(() => this.#mending = null);
  }

  destroy(): void {
    this.#isClosed = true;
    for (const node of [...this.#nodes.values(), ...this.#seeds]) closeLink(node);
  }

  #linked(): Node[] {
    return [...this.#nodes.values()].filter(({ link }) => link !== null);
  }

  async #learnSlots(): Promise<boolean> {
    const linked = this.#linked();
    const start = linked.length === 0 ? 0 : this.#turn++ % linked.length;
    const others = [...this.#nodes.values(), ...this.#seeds].filter((it) => !linked.includes(it));
    let error: unknown = null;
    for (const node of [...linked.slice(start), ...linked.slice(0, start), ...others]) {
      try {
        const { connection } = await this.#linkOf(node);
        const ranges = await connection.call(["CLUSTER", "SLOTS"]) as SlotRange[];
        if (ranges.length === 0) throw notServed();
        await this.#take(ranges, node.address);
        return this.#slots.every((it) => it !== undefined && it.link !== null);
      } catch (reason) {
        // What the first says is what its user should know.
        error ??= reason;
      }
    }
    throw error;
  }

  /** @param asked Who said so: a node that does not know its own host gives none. */
  async #take(ranges: readonly SlotRange[], asked: RedisAddress): Promise<void> {
    this.#slots.fill(undefined);
    const masters = new Set<Node>();
    for (const [first, last, [host, port]] of ranges) {
      const node = this.#nodeAt(host, port, asked);
      masters.add(node);
      this.#slots.fill(node, first, last + 1);
    }
    for (const node of [...this.#nodes.values(), ...this.#seeds]) {
      if (masters.has(node)) continue;
      if (this.#nodes.get(node.text) === node) this.#nodes.delete(node.text);
      closeLink(node);
    }
    const attempts = await Promise.allSettled([...masters].map((node) => this.#linkOf(node)));
    if (attempts.every(({ status }) => status === "rejected")) {
      throw (attempts[0] as PromiseRejectedResult).reason;
    }
  }

  #nodeAt(host: string | null, port: number, asked: RedisAddress): Node {
    const place = host === null || host === "" || host === "?"
      ? asked.socketPath === undefined ? { ...asked, port } : asked
      : { ...this.#address, host, port, socketPath: undefined };
    const node = nodeOf({ ...place, database: 0 });
    const known = this.#nodes.get(node.text);
    if (known !== undefined) return known;
    const seed = this.#seeds.find(({ text }) => text === node.text) ?? node;
    this.#nodes.set(seed.text, seed);
    return seed;
  }

  /** The connection to a node, which is made if there is none. */
  async #linkOf(node: Node): Promise<Link> {
    if (node.link !== null) return node.link;
    try {
      return await (node.opening ??= this.#link(node).finally(() => node.opening = null));
    } catch (error) {
      node.error = error as Error;
      throw error;
    }
  }

  async #link(node: Node): Promise<Link> {
    const { sockets, signal, onNoScripts } = this.#options;
    const connection = await RedisConnection.open(node.address, sockets, signal);
    if (this.#isClosed) {
      connection.destroy();
      throw new Error("given up");
    }
    const writers = {
      counters: new CounterWriter(connection, onNoScripts),
      names: new NameWriter(connection, onNoScripts),
    };
    const link = {
      connection,
      replication: new Replication(connection),
      writers,
      usesScripts: true,
    };
    connection.onClosed = (error) => this.#lose(node, link, error);
    node.link = link;
    return link;
  }

  #lose(node: Node, link: Link, error: Error): void {
    if (node.link !== link) return;
    node.error = error;
    closeLink(node);
    if (this.#isClosed) return;
    if (this.isPartlyUsable) this.#onPartLost(error, node.text);
    else this.#onClosed(error);
  }

  async #write(batch: Batch): Promise<WriteOutcome> {
    const collected: Collected = { undone: [], refused: [], reason: "", fault: null };
    let groups = groupBySlot(batch.keys);
    for (let round = 0; groups.length > 0; round++) {
      groups = await this.#writeOnce(batch, groups, round === MOST_ROUNDS, collected);
    }
    const inOrder = (a: number, b: number) => a - b;
    collected.undone.sort(inOrder);
    collected.refused.sort(inOrder);
    return collected;
  }

  /** @returns What has to be sent to another node. */
  async #writeOnce(
    batch: Batch,
    groups: readonly Group[],
    isLast: boolean,
    collected: Collected,
  ): Promise<Group[]> {
    const byNode = new Map<Node | undefined, Group[]>();
    for (const group of groups) {
      const node = group.asked ?? this.#slots[group.slot];
      const those = byNode.get(node);
      if (those === undefined) byNode.set(node, [group]);
      else those.push(group);
    }
    const again: Group[] = [];
    await Promise.all([...byNode].map(async ([node, those]) => {
      const answers = await this.#writeTo(node, batch, those);
      those.forEach((group, i) => {
        const answer = answers[i];
        if (answer instanceof Error) {
          const next = isLast || node === undefined ? null : this.#redirected(group, answer, node);
          if (next === null) fail(group, answer, node, collected);
          else again.push(...next);
        } else collect(group, answer, node, collected);
      });
    }));
    return again;
  }

  /** @returns For each group what became of it. */
  async #writeTo(
    node: Node | undefined,
    batch: Batch,
    groups: readonly Group[],
  ): Promise<(WriteOutcome | Error)[]> {
    if (node === undefined) return groups.map(notServed);
    let link = node.link;
    try {
      // One that we were sent to. Those that are away are looked for by mend().
      if (link === null && node.error === null) link = await this.#linkOf(node);
      if (link === null) return groups.map(() => node.error ?? notServed());
      const answers = await this.#callAll(node, link, batch, groups);
      await link.replication.confirm();
      return answers;
    } catch (error) {
      if (link !== null) this.#lose(node, link, error as Error);
      return groups.map(() => error as Error);
    }
  }

  async #callAll(
    node: Node,
    link: Link,
    batch: Batch,
    groups: readonly Group[],
  ): Promise<(WriteOutcome | Error)[]> {
    if (!link.usesScripts) {
      return await Promise.all(groups.map((it) => writePlainly(link, batch, it)));
    }
    const { keys, values, ttl, script } = batch;
    const replies = await script.runEach(
      link.connection,
      groups.map(({ indexes, asked }) => ({
        keys: indexes.map((i) => keys[i]),
        values: values === null ? [ttl] : [ttl, ...indexes.map((i) => values[i])],
        isAsking: asked === node,
      })),
    );
    const refusal = replies.find(forbidsScripts);
    if (refusal !== undefined) {
      this.#options.onNoScripts(refusal.message);
      link.usesScripts = false;
      return await this.#callAll(node, link, batch, groups);
    }
    return replies.map((reply, i) => {
      if (!(reply instanceof Error)) return outcomeOfScript(reply, groups[i].indexes.length);
      if (!(reply instanceof RedisReplyError)) throw reply;
      return reply;
    });
  }

  /** @returns How it is to be sent again; `null` where that is of no use. */
  #redirected(group: Group, error: Error, from: Node): Group[] | null {
    if (!(error instanceof RedisReplyError)) return null;
    const { slot, indexes } = group;
    if (SPLIT_SLOT.test(error.message)) {
      return indexes.length === 1
        ? null
        : indexes.map((index) => ({ slot, indexes: [index], asked: null }));
    }
    const redirection = this.#follow(error, from);
    if (redirection === null) return null;
    const { node, isAsked } = redirection;
    if (!isAsked) this.#slots[slot] = node;
    group.asked = isAsked ? node : null;
    return [group];
  }

  #follow(error: RedisReplyError, from: Node): { node: Node; isAsked: boolean } | null {
    const [, kind, host, port] = REDIRECTION.exec(error.message) ?? [];
    if (kind === undefined) return null;
    return { node: this.#nodeAt(host, Number(port), from.address), isAsked: kind === "ASK" };
  }
}

/** A range of slots as `CLUSTER SLOTS` has it: the first, the last, the master, and replicas. */
type SlotRange = [number, number, [string | null, number, ...unknown[]], ...unknown[]];

function nodeOf(address: RedisAddress): Node {
  const { host, port, socketPath } = address;
  const text = socketPath ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
  const one = { ...address, database: 0, nodes: undefined };
  return { address: one, text, link: null, error: null, opening: null };
}

function closeLink(node: Node): void {
  const { link } = node;
  node.link = null;
  link?.connection.destroy();
}

function notServed(): RedisReplyError {
  return new RedisReplyError("CLUSTERDOWN Hash slot not served");
}

function valueOf({ name, count }: PendingName): string {
  return name ?? String(count);
}

function groupBySlot(keys: readonly string[]): Group[] {
  const groups = new Map<number, Group>();
  keys.forEach((key, index) => {
    const slot = slotOf(key);
    const group = groups.get(slot);
    if (group === undefined) groups.set(slot, { slot, indexes: [index], asked: null });
    else group.indexes.push(index);
  });
  return [...groups.values()];
}

async function writePlainly(
  link: Link,
  { writePlainly: write }: Batch,
  { indexes }: Group,
): Promise<WriteOutcome | Error> {
  try {
    const outcome = await write(link.writers, indexes);
    // Nothing of a slot is written that is somewhere else.
    const { fault, undone } = outcome;
    return fault !== null && undone.length === indexes.length ? fault : outcome;
  } catch (error) {
    if (error instanceof RedisReplyError) return error;
    throw error;
  }
}

function collect(
  { indexes }: Group,
  outcome: WriteOutcome,
  node: Node | undefined,
  collected: Collected,
): void {
  for (const i of outcome.undone) collected.undone.push(indexes[i]);
  if (outcome.refused.length > 0) {
    if (collected.refused.length === 0) collected.reason = outcome.reason;
    for (const i of outcome.refused) collected.refused.push(indexes[i]);
  }
  if (outcome.fault !== null) setFault(outcome.fault, node, collected);
}

function fail(group: Group, error: Error, node: Node | undefined, collected: Collected): void {
  collected.undone.push(...group.indexes);
  setFault(error, node, collected);
}

function setFault(error: Error, node: Node | undefined, collected: Collected): void {
  if (collected.fault !== null) return;
  collected.fault = error;
  collected.where = node?.text;
}
