import assert from "node:assert/strict";
import { SteadyClock } from "../../src/store/steady_clock.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 27);

/** A clock that a test sets, and what it says after each step. */
function clockOf() {
  let [wall, passed] = [START, 0];
  const clock = new SteadyClock(() => wall, () => passed);
  return {
    /** Goes on by hours, and is set by hours; gives the hours since the start. */
    after(hours: number, set = 0): number {
      passed += hours * HOUR;
      wall += (hours + set) * HOUR;
      return (clock.now() - START) / HOUR;
    },
  };
}

Deno.test("SteadyClock goes as the machine's clock does, and back with it", () => {
  const clock = clockOf();
  assert.equal(clock.after(0), 0);
  assert.equal(clock.after(5), 5);
  assert.equal(clock.after(1, 0.5), 6.5);
  assert.equal(clock.after(1, -3), 4.5);
  assert.equal(clock.after(1), 5.5);
});

Deno.test("SteadyClock does not follow a clock that was set years on for a while", () => {
  const clock = clockOf();
  assert.equal(clock.after(1, 80_000), 1);
  assert.equal(clock.after(10), 11);
  assert.equal(clock.after(1, -80_000), 12);
});

Deno.test("SteadyClock believes a clock a day after it was set", () => {
  const clock = clockOf();
  assert.equal(clock.after(1, 500), 1);
  assert.equal(clock.after(22), 23);
  assert.equal(clock.after(2), 525);
  assert.equal(clock.after(1), 526);
});
