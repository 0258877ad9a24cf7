import { js, ones } from "@qkv/tensor";
import { expect, test } from "vitest";
import { warmed } from "./sample-work.js";

/** Times of the work, by a clock on which the runs take so many milliseconds each, one after the other. */
async function timeOf(durations: readonly number[]) {
  let [runs, now] = [0, 0];
  const clock = () => now;
  const work = () => () => {
    now += durations[runs++] ?? 0;
    return ones([1]);
  };
  const time = await warmed(js(), work, clock);
  return { time: await time(), runs };
}

test("the shortest of three runs counts, and the first, which compiles, does not", async () => {
  expect(await timeOf([1, 30, 20, 40])).toEqual({ time: 20, runs: 4 });
});
