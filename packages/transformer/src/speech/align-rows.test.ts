import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { alignRows } from "./align-rows.js";

/** Rows whose weights stand on a stretch of frames each, from the frames given on; the last ends with the frames. */
function staircase(starts: readonly number[], frames: number): Float32Array {
  const map = new Float32Array(starts.length * frames);
  starts.forEach((start, row) => {
    const end = starts[row + 1] ?? frames;
    map.fill(1 / (end - start), row * frames + start, row * frames + end);
  });
  return map;
}

const starts = [0, 9, 20, 33, 41];
const frames = 50;
const all = { from: 0, until: starts.length, medianWidth: 7 };
const maps = (...heads: Float32Array[]) => {
  const data = new Float32Array(heads.length * starts.length * frames);
  heads.forEach((head, i) => data.set(head, i * head.length));
  return { data, shape: [heads.length, starts.length, frames] } as const;
};

test("rows that attend to consecutive ranges of frames begin at the start of their range", () => {
  expect(alignRows(maps(staircase(starts, frames)), all)).toEqual(starts);
});

test("a head with uniform or slightly noisy weights has no effect", () => {
  const even = new Float32Array(starts.length * frames).fill(1 / frames);
  const noise = randn([starts.length, frames], { seed: 1 }).data;
  const noisy = staircase(starts, frames).map((x, i) => x + 0.004 * Math.abs(Number(noise[i])));
  expect(alignRows(maps(even, staircase(starts, frames), noisy), all)).toEqual(starts);
});

test("frames after the end of the sound are left out by their share, and rows before the first count for the mean alone", () => {
  const half = staircase(starts, frames).map((x) => x / 2); // the other half lies after the end of the sound
  expect(alignRows(maps(half), all)).toEqual(starts);
  // One row has nearly all of its weight there, and each looks at all frames a little.
  const faint = staircase(starts, frames).map((x, i) => {
    const own = 0.7 * x + 0.3 / frames;
    return Math.floor(i / frames) === 2 ? own / 30 : own;
  });
  expect(alignRows(maps(faint), all)).toEqual(starts);
  const [, ...others] = starts;
  const some = alignRows(maps(staircase(starts, frames)), { ...all, from: 1 });
  expect(some.slice(1)).toEqual(others.slice(1));
});

test("a row of fewer frames than the median's is not smoothed; each row has a frame", () => {
  const { data } = maps(staircase([0, 1, 2, 2, 2], 3));
  const found = alignRows({ data: data.subarray(0, 15), shape: [1, 5, 3] }, all);
  expect(found).toHaveLength(5);
  expect([...found].sort((a, b) => a - b)).toEqual(found);
  expect(found[0]).toBe(0);
});
