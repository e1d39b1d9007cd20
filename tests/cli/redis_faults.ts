import type { FaultedCapture } from "./faulted_capture.ts";

/** Something that is wrong with Redis, or on the way there, for a time. */
export interface RedisFault {
  readonly name: string;
  /** Options of redis-server. */
  readonly options?: readonly string[];
  /** Options of the sensor, where it does not simply write to the server. */
  readonly args?: readonly string[];
  /** What is done before the sensor starts. */
  readonly prepare?: (capture: FaultedCapture) => Promise<void>;
  /** Whether Redis is there when the sensor starts, as it is where that is left out. */
  readonly isThereAtStart?: boolean;
  readonly begin?: (capture: FaultedCapture) => Promise<void> | void;
  readonly end: (capture: FaultedCapture) => Promise<void> | void;
  /** What is said when it begins; `null` if it is borne without a word. */
  readonly said: RegExp | null;
  /** Whether it is said that it is over, as it is where that is left out. */
  readonly isSaidAtEnd?: boolean;
  /** Whether the sensor answers nothing meanwhile. */
  readonly isSensorStopped?: boolean;
  /** How often a connection ends with keys on their way: then some are written twice. */
  readonly breaks?: number;
  /** Seconds for which it has to last, to be what it is. */
  readonly least?: number;
  /** Seconds that it may last, to be what it is. */
  readonly most?: number;
}

const LINK_PORT = 6380;
const LINK = ["--redis", `redis://127.0.0.1:${LINK_PORT}`];
const SENSOR = ["--redis", "redis://sensor@127.0.0.1:6379"];
const startLink = (capture: FaultedCapture) => capture.startLink(LINK_PORT);
const PERSISTENT = ["--appendonly", "yes", "--appendfsync", "always"];
const RESTARTS = 10;

/** The faults that a capture is tried with. */
export const REDIS_FAULTS: readonly RedisFault[] = [
  {
    name: "away at the start",
    prepare: ({ redis }) => redis.halt(),
    isThereAtStart: false,
    end: ({ redis }) => redis.run(),
    said: /is away \(connection refused\)/,
  },
  {
    name: "killed, and back empty",
    begin: (capture) => capture.empty(),
    end: ({ redis }) => redis.run(),
    said: /is away \(/,
    breaks: 1,
  },
  {
    name: "killed, and back with its data",
    options: PERSISTENT,
    begin: ({ redis }) => redis.halt(),
    end: ({ redis }) => redis.run(),
    said: /is away \(/,
    breaks: 1,
  },
  {
    name: "restarted ten times",
    options: PERSISTENT,
    begin: async ({ redis, wait }) => {
      for (let i = 0; i < RESTARTS; i++) {
        await redis.halt();
        await redis.run();
        await wait(0.3);
      }
    },
    end: () => {},
    said: /is away \(/,
    breaks: RESTARTS,
  },
  {
    name: "frozen for a moment",
    begin: ({ redis }) => redis.freeze(),
    end: ({ redis }) => redis.thaw(),
    said: null,
    most: 5,
  },
  {
    name: "frozen",
    begin: ({ redis }) => redis.freeze(),
    end: ({ redis }) => redis.thaw(),
    said: /is away \(no answer within 10 s\)/,
    breaks: 1,
    least: 10,
  },
  {
    name: "maxmemory reached, with noeviction",
    begin: async ({ redis }) => {
      await redis.cli("CONFIG", "SET", "maxmemory", "1mb");
    },
    end: async ({ redis }) => {
      await redis.cli("CONFIG", "SET", "maxmemory", "0");
    },
    said: /refuses to be written to \(OOM /,
  },
  {
    name: "read-only after a failover",
    begin: async ({ redis }) => {
      await redis.cli("REPLICAOF", "127.0.0.1", "1");
    },
    end: async ({ redis }) => {
      await redis.cli("REPLICAOF", "NO", "ONE");
    },
    said: /refuses to be written to \(READONLY /,
  },
  {
    name: "password changed",
    args: SENSOR,
    prepare: async (capture) => {
      await setPassword(capture, "first");
      await Deno.writeTextFile(capture.passwordFile, "first\n", { mode: 0o600 });
    },
    begin: async (capture) => {
      await setPassword(capture, "second");
      await capture.redis.cli("CLIENT", "KILL", "USER", "sensor");
    },
    end: (capture) => Deno.writeTextFile(capture.passwordFile, "second\n"),
    said: /refuses to be written to \(WRONGPASS /,
    breaks: 1,
  },
  {
    name: "no right to scripts any more",
    begin: async ({ redis }) => {
      await redis.cli("ACL", "SETUSER", "default", "-@scripting");
    },
    end: async ({ redis }) => {
      await redis.cli("ACL", "SETUSER", "default", "+@scripting");
    },
    said: /does not let us use scripts \(NOPERM .*\): keys are written by single commands/,
    isSaidAtEnd: false,
  },
  {
    name: "a slow link",
    args: LINK,
    prepare: startLink,
    begin: (capture) => capture.become({ bytesPerSecond: 10_000 }),
    end: (capture) => capture.become({}),
    said: null,
  },
  {
    name: "a link that is cut again and again",
    args: LINK,
    prepare: startLink,
    begin: (capture) => capture.become({ cutAfter: 20_000 }),
    end: (capture) => capture.become({}),
    said: /is away \(/,
    breaks: 1000,
  },
  {
    name: "a half-open link",
    args: LINK,
    prepare: startLink,
    begin: (capture) => capture.become({ isDead: true }),
    end: (capture) => capture.become({}),
    said: /is away \(no answer within 10 s\)/,
    breaks: 1,
    least: 10,
  },
  {
    name: "protected mode",
    options: ["--bind", "*", "--protected-mode", "no"],
    args: ["--redis", "redis://10.99.0.1"],
    begin: async ({ redis }) => {
      await redis.cli("CONFIG", "SET", "protected-mode", "yes");
      await redis.cli("CLIENT", "KILL", "TYPE", "normal");
    },
    end: async ({ redis }) => {
      await redis.cli("CONFIG", "SET", "protected-mode", "no");
    },
    said: /refuses to be written to \(DENIED Redis is running in protected mode /,
    breaks: 1,
  },
  {
    name: "maxclients reached",
    begin: (capture) => capture.takeAllPlaces(),
    end: (capture) => capture.freePlaces(),
    said: /is away \(ERR max number of clients reached\)/,
    breaks: 1,
  },
  {
    name: "the sensor stopped and resumed",
    begin: ({ program }) => program.signal("SIGSTOP"),
    end: ({ program }) => program.signal("SIGCONT"),
    said: null,
    isSensorStopped: true,
    // Until the kernel's buffer is full.
    most: 2,
  },
];

/** Gives the user whose name is sensor another password. */
async function setPassword({ redis }: FaultedCapture, password: string): Promise<void> {
  await redis.cli("ACL", "SETUSER", "sensor", "on", "resetpass", `>${password}`, "~*", "+@all");
}
