/**
 * Asks a sensor on `/healthz` and `/readyz` all the time, in its network namespace: `health_probe.ts
 * HOST:PORT`. Prints each answer that is another than the one before, a `Health` in JSON a line.
 */

/** How often it is asked, in milliseconds, and how long an answer may take. */
const PAUSE = 50;
const PATIENCE = 2_000;

async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: (error as Error).name };
  }
}

let last = "";
while (true) {
  const { status: alive, text: says } = await ask(`http://${Deno.args[0]}/healthz`);
  const isAlive = alive === 200 && says === "ok\n";
  const line = JSON.stringify({ isAlive, ...await ask(`http://${Deno.args[0]}/readyz`) });
  if (line !== last) console.log(line);
  last = line;
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
