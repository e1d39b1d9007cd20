/** That a thread in which code has no end is told of, by the C library. */
import assert from "node:assert/strict";

const PERMISSIONS = ["--no-prompt", "--allow-ffi"];
const WARNINGS = 'new Map([[1, "warning: 100%s busy"], [2, "error: ended"]])';

/** Runs a program that is watched. */
async function watched(text: string): Promise<{ status: number; lines: string[] }> {
  const program = `
    import { LoopWatch } from "${import.meta.resolve("../../ffi/loop_watch.ts")}";
    const watch = LoopWatch.start("flosensor", ${WARNINGS}, 3)!;
    const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const work = (seconds: number) => {
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end);
    };
    await wait(0.1);
    ${text}`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-config"]
      .concat(PERMISSIONS, `data:text/typescript,${encodeURIComponent(program)}`),
  }).output();
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line !== "");
  return { status: code, lines };
}

const options = { ignore: Deno.build.os !== "linux" };

Deno.test("LoopWatch says that code does not end, and ends the process", options, async () => {
  assert.deepEqual(await watched("for (;;);"), {
    status: 1,
    lines: ["flosensor: warning: 100%s busy", "flosensor: error: ended"],
  });
});

Deno.test("LoopWatch says nothing of work that ends, or of waiting", options, async () => {
  const text = "for (let i = 0; i < 8; i++) { work(0.4); await wait(0.05); } await wait(2);";
  assert.deepEqual(await watched(`setInterval(() => watch.turn(), 10); ${text} Deno.exit(0);`), {
    status: 0,
    lines: [],
  });
});

Deno.test("LoopWatch is over when it is closed, and keeps no process alive", options, async () => {
  assert.deepEqual(await watched("watch.close(); work(4);"), { status: 0, lines: [] });
});
