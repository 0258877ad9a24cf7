import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { alignRows } from "./align-rows.js";

/** Attention weights `[rows, frames]`: each row attends uniformly from its start frame to the start of the next row. */
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
const allRows = { from: 0, until: starts.length, medianWidth: 7 };
const maps = (...heads: Float32Array[]) => {
  const data = new Float32Array(heads.length * starts.length * frames);
  heads.forEach((head, i) => data.set(head, i * head.length));
  return { data, shape: [heads.length, starts.length, frames] } as const;
};

test("rows that attend to consecutive ranges of frames begin at the start of their range", () => {
  expect(alignRows(maps(staircase(starts, frames)), allRows)).toEqual(starts);
});

test("a head with uniform or slightly noisy weights has no effect", () => {
  const uniform = new Float32Array(starts.length * frames).fill(1 / frames);
  const noise = randn([starts.length, frames], { seed: 1 }).data;
  const noisy = staircase(starts, frames).map((x, i) => x + 0.004 * Math.abs(Number(noise[i])));
  expect(alignRows(maps(uniform, staircase(starts, frames), noisy), allRows)).toEqual(starts);
});

test("rows are normalized over the remaining frames, and rows before `from` only affect the standardization", () => {
  const half = staircase(starts, frames).map((x) => x / 2); // the other half is on frames after the end of the audio
  expect(alignRows(maps(half), allRows)).toEqual(starts);
  // One row has nearly all of its weight on frames after the end, and each row has some weight on all frames.
  const faint = staircase(starts, frames).map((x, i) => {
    const weight = 0.7 * x + 0.3 / frames;
    return Math.floor(i / frames) === 2 ? weight / 30 : weight;
  });
  expect(alignRows(maps(faint), allRows)).toEqual(starts);
  const [, ...others] = starts;
  const aligned = alignRows(maps(staircase(starts, frames)), { ...allRows, from: 1 });
  expect(aligned.slice(1)).toEqual(others.slice(1));
});

test("with fewer frames than the median filter needs, each row still has a frame, in order", () => {
  const { data } = maps(staircase([0, 1, 2, 2, 2], 3));
  const firstFrames = alignRows({ data: data.subarray(0, 15), shape: [1, 5, 3] }, allRows);
  expect(firstFrames).toHaveLength(5);
  expect([...firstFrames].sort((a, b) => a - b)).toEqual(firstFrames);
  expect(firstFrames[0]).toBe(0);
});
