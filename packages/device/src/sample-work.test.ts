import { js, ones } from "@qkv/tensor";
import { expect, test } from "vitest";
import { compiledWork } from "./sample-work.js";

/** Measures work on a clock by which run `i` takes `durations[i]` milliseconds. */
async function measure(durations: readonly number[]) {
  let [runs, now] = [0, 0];
  const clock = () => now;
  const work = () => () => {
    now += durations[runs++] ?? 0;
    return ones([1]);
  };
  const time = await compiledWork(js(), work, clock);
  return { time: await time(), runs };
}

test("the time is the shortest of three runs, not counting the first one, which compiles", async () => {
  expect(await measure([1, 30, 20, 40])).toEqual({ time: 20, runs: 4 });
});
