import assert from "node:assert/strict";
import { join } from "node:path";
import { Complaints } from "../../src/dns/complaints.ts";
import { type DnstapPayload, encodeDnstap } from "../../src/dns/dnstap.ts";
import { DnstapListener, type DnstapListenerOptions } from "../../src/dns/dnstap_listener.ts";
import { MemoryLog } from "../memory_log.ts";
import { until } from "../namespaces.ts";
import { type Bytes, bytes, u32 } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { control, frame, READY, START, STOP, stream } from "./frame_writer.ts";

const PAYLOAD = encodeDnstap({ message: { type: 6, queryPort: 1234 } });

/** A listener at a Unix socket of a test's own. */
class Setting implements AsyncDisposable {
  readonly log = new MemoryLog();
  readonly payloads: DnstapPayload[] = [];
  readonly directory = Deno.makeTempDirSync({ prefix: "flosensor-dnstap-" });
  readonly path = join(this.directory, "dnstap.sock");
  /** In milliseconds; a test moves it. */
  now = 0;
  listener!: DnstapListener;

  static async make(options: Partial<DnstapListenerOptions> = {}): Promise<Setting> {
    const setting = new Setting();
    const complaints = new Complaints(setting.log, () => setting.now);
    setting.listener = await DnstapListener.open(
      { transport: "unix", path: setting.path },
      { onPayload: (payload) => setting.payloads.push(payload), ...options },
      complaints,
      setting.log,
    );
    return setting;
  }

  connect(): Promise<Deno.UnixConn> {
    return Deno.connect({ transport: "unix", path: this.path });
  }

  /** Writes all of it, as far as it is taken, and closes the connection. */
  async send(sent: Bytes): Promise<void> {
    const connection = await this.connect();
    await writeAll(connection, sent);
    connection.close();
  }

  get warnings(): string[] {
    return this.log.lines.filter((line) => line.startsWith("warn: "))
      .map((line) => line.replace(`warn: unix:${this.path}: `, ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await until(() => this.listener.counts.open === 0);
    await Deno.remove(this.directory, { recursive: true });
  }
}

async function writeAll(connection: Deno.Conn, sent: Bytes): Promise<void> {
  try {
    for (let done = 0; done < sent.length;) done += await connection.write(sent.subarray(done));
  } catch (error) {
    // Refused connections are closed while we write.
    assert.ok(
      error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
    );
  }
}

Deno.test("DnstapListener takes several writers at once, of both kinds", async () => {
  await using setting = await Setting.make();
  const first = await setting.connect();
  const second = await setting.connect();
  await writeAll(first, bytes(control(START), frame(PAYLOAD)));
  await writeAll(second, control(READY));
  await second.read(new Uint8Array(100));
  await writeAll(second, bytes(control(START), frame(PAYLOAD), frame(PAYLOAD)));
  await writeAll(first, frame(PAYLOAD));
  await until(() => setting.payloads.length === 4);
  assert.equal(setting.listener.counts.open, 2);
  assert.equal(setting.payloads[3].message?.queryPort, 1234);
  first.close();
  second.close();
  assert.deepEqual(setting.warnings, []);
});

Deno.test("DnstapListener says of ten thousand frames of noise one line a minute", async () => {
  await using setting = await Setting.make();
  const random = new SeededRandom();
  const noise = Array.from({ length: 10_000 }, () => {
    const payload = Uint8Array.from({ length: 1 + random.below(60) }, () => random.below(256));
    payload[0] = 0x07;
    return frame(payload);
  });
  const witness = await setting.connect();
  await writeAll(witness, bytes(control(START), frame(PAYLOAD)));
  await setting.send(bytes(control(START), ...noise, frame(PAYLOAD), control(STOP, null)));
  await until(() => setting.payloads.length === 2);
  assert.equal(setting.listener.counts.noise, 10_000);
  assert.deepEqual(setting.warnings, ["a frame that is not dnstap is left out"]);
  setting.now += 60_000;
  await setting.send(stream(noise[0].subarray(4), noise[1].subarray(4)));
  await until(() => setting.listener.counts.noise === 10_002);
  assert.deepEqual(setting.warnings.slice(1), [
    "a frame that is not dnstap is left out (and 9999 more like this since the last such line)",
  ]);
  await writeAll(witness, frame(PAYLOAD));
  await until(() => setting.payloads.length === 3);
  witness.close();
});

Deno.test("DnstapListener refuses bad connections, each kind in a line, and harms no other", async () => {
  await using setting = await Setting.make({ patience: 100 });
  const witness = await setting.connect();
  await writeAll(witness, bytes(control(START), frame(PAYLOAD)));
  const random = new SeededRandom();
  const noise = Uint8Array.from({ length: 5000 }, () => random.below(256));
  noise[0] = 1;
  const slow = await setting.connect();
  await writeAll(slow, bytes(control(START), u32(10), 1));
  for (let i = 0; i < 3; i++) {
    await setting.send(noise);
    await setting.send(bytes(u32(0), u32(100_000)));
    await setting.send(bytes(control(START), frame(PAYLOAD).slice(0, -1)));
    await setting.send(bytes(control(START), u32(0x7fff_ffff)));
  }
  await until(() => setting.listener.counts.refused === 13);
  slow.close();
  assert.deepEqual(setting.warnings.map((line) => line.replace(/\d+/g, "N")).sort(), [
    "a connection is ended: a control frame of N bytes, of at most N",
    "a connection is ended: a frame of N bytes, of at most N",
    "a connection is ended: a frame that is cut by the stream's end",
    "a connection is ended: a frame that is not whole after N ms",
    "a connection is ended: something else than a control frame before START",
  ]);
  await writeAll(witness, frame(PAYLOAD));
  await until(() => setting.payloads.length === 2);
  witness.close();
});

Deno.test("DnstapListener ends who was silent for longest when there are too many", async () => {
  await using setting = await Setting.make({ maxConnections: 3 });
  const isEnded = async (connection: Deno.Conn) =>
    await connection.read(new Uint8Array(1)).catch(() => null) === null;
  const connect = async (...sent: Bytes[]) => {
    const connection = await setting.connect();
    await writeAll(connection, bytes(control(START), ...sent));
    return connection;
  };
  const first = await connect(frame(PAYLOAD));
  await until(() => setting.payloads.length === 1);
  const second = await connect(frame(PAYLOAD));
  await until(() => setting.payloads.length === 2);
  const mute = await setting.connect();
  await writeAll(first, frame(PAYLOAD));
  await until(() => setting.payloads.length === 3);
  // Who never said anything goes first, though it came last.
  const third = await connect(frame(PAYLOAD));
  await until(() => setting.payloads.length === 4);
  assert.ok(await isEnded(mute));
  assert.equal(setting.listener.counts.open, 3);
  const fourth = await connect(frame(PAYLOAD));
  await until(() => setting.payloads.length === 5);
  assert.ok(await isEnded(second));
  await writeAll(first, frame(PAYLOAD));
  await writeAll(third, frame(PAYLOAD));
  await until(() => setting.payloads.length === 7);
  assert.equal(setting.listener.counts.open, 3);
  assert.equal(setting.listener.counts.refused, 2);
  assert.deepEqual(setting.warnings, [
    "a connection is ended: there are 3, and it was silent for longest",
  ]);
  for (const connection of [first, second, third, fourth, mute]) connection.close();
});

Deno.test("DnstapListener goes on after a payload that its taker fails at", async () => {
  let taken = 0;
  await using setting = await Setting.make({
    onPayload: () => {
      if (++taken === 1) throw new TypeError("not this one");
    },
  });
  await setting.send(stream(PAYLOAD, PAYLOAD));
  await until(() => taken === 2);
  assert.deepEqual(setting.warnings, [
    "a payload can't be taken, which is a defect: not this one",
  ]);
});

Deno.test("DnstapListener outlives a Unix peer that vanishes at any point of the stream", async () => {
  await using setting = await Setting.make();
  const whole = bytes(control(READY), control(START), frame(PAYLOAD), control(STOP, null));
  let connections = 0;
  for (let cut = 0; cut <= whole.length; cut += 5) {
    for (const isHalf of [false, true]) {
      const connection = await setting.connect();
      await writeAll(connection, whole.slice(0, cut));
      // What the listener has answered is not read: it may be told so.
      if (isHalf) await connection.closeWrite().catch(() => {});
      else connection.close();
      connections++;
      const { counts } = setting.listener;
      await until(() => counts.connections === connections && counts.open === 0);
      if (isHalf) connection.close();
    }
  }
  const taken = setting.payloads.length;
  await setting.send(stream(PAYLOAD));
  await until(() => setting.payloads.length === taken + 1);
});

Deno.test("DnstapListener gives a Unix socket its mode and removes it at the end", async () => {
  await using setting = await Setting.make({ socketMode: 0o600 });
  assert.equal(Deno.statSync(setting.path).mode! & 0o777, 0o600);
  setting.listener.close();
  assert.throws(() => Deno.statSync(setting.path), Deno.errors.NotFound);
});

Deno.test("DnstapListener replaces a socket that was left behind, and no other file", async () => {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "socket");
  const address = { transport: "unix", path } as const;
  const open = () => {
    const log = new MemoryLog();
    return DnstapListener.open(address, { onPayload: () => {} }, new Complaints(log), log);
  };
  try {
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(open, {
      message: `unix:${path}: there is a file of this name that is no socket`,
    });
    assert.equal(await Deno.readTextFile(path), "precious");
    await Deno.remove(path);
    // What a process leaves behind that is killed.
    const script = `Deno.listen({ transport: "unix", path: ${
      JSON.stringify(path)
    } }); Deno.exit(0);`;
    await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
    assert.ok(Deno.lstatSync(path).isSocket);
    const listener = await open();
    await assert.rejects(open, { message: `unix:${path}: somebody else listens there already` });
    listener.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("DnstapListener says what is wrong with a place", async () => {
  const log = new MemoryLog();
  const open = (address: Parameters<typeof DnstapListener.open>[0]) =>
    DnstapListener.open(address, { onPayload: () => {} }, new Complaints(log), log);
  await assert.rejects(open({ transport: "unix", path: "/nowhere/socket" }), {
    message: "unix:/nowhere/socket: there is no such directory: make it first, " +
      'sudo install -d -o "$USER" /nowhere',
  });
  await assert.rejects(open({ transport: "tcp", hostname: "192.0.2.1", port: 6000 }), {
    message: "tcp:192.0.2.1:6000: this machine has no such address",
  });
});

Deno.test("DnstapListener makes a Unix socket with its mode, and changes that of no file", async () => {
  const { chmodSync } = Deno;
  const umask = Deno.umask();
  // Whoever owns the folder may have put a link there by then.
  Deno.chmodSync = () => assert.fail("chmod");
  try {
    for (const socketMode of [0o600, 0o660, 0o666, 0o777]) {
      await using setting = await Setting.make({ socketMode });
      assert.equal(Deno.lstatSync(setting.path).mode! & 0o777, socketMode);
      assert.equal(Deno.umask(), umask);
    }
  } finally {
    Deno.chmodSync = chmodSync;
  }
});

Deno.test("DnstapListener does not remove the socket of a newer one", async () => {
  await using older = await Setting.make();
  Deno.removeSync(older.path);
  const log = new MemoryLog();
  const address = { transport: "unix", path: older.path } as const;
  const options = { onPayload: () => {} };
  const newer = await DnstapListener.open(address, options, new Complaints(log), log);
  older.listener.close();
  (await older.connect()).close();
  newer.close();
  assert.throws(() => Deno.lstatSync(older.path), Deno.errors.NotFound);
});

Deno.test("DnstapListener makes no socket where all users could replace it", async () => {
  const directory = await Deno.makeTempDir();
  const path = join(directory, "socket");
  const log = new MemoryLog();
  const open = () =>
    DnstapListener.open(
      { transport: "unix", path },
      { onPayload: () => {} },
      new Complaints(log),
      log,
    );
  try {
    await Deno.chmod(directory, 0o777);
    await assert.rejects(open, {
      message: `unix:${path}: all users may write ${directory}, and so put another socket ` +
        `there: chmod o-w ${directory}`,
    });
    await Deno.chmod(directory, 0o1777);
    (await open()).close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
