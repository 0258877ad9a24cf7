// A row of a batch has the logits of the row alone, whatever pads it: tokens before it, after it, or both.
import { ArgumentError } from "@qkv/core";
import { js, slice, tensor, type Tensor } from "@qkv/tensor";
import { maskTensor } from "@qkv/attention";
import { cacheFor, load } from "@qkv/transformer";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { casesByTier } from "../../../scripts/tier.mjs";
import { logitTolerance } from "./agree.js";
import { decoderFolders } from "./decoder-folders.js";

const T = 16;
const text = [3, 14, 15, 9, 26, 5, 35, 8, 97, 93, 23, 84, 62, 64, 33, 83];

/** A row: the number of padding tokens before it, and of its tokens; the rest of T is padding after it. */
type Row = readonly [before: number, length: number];
const after: readonly Row[] = [
  [0, 16],
  [0, 11],
  [0, 7],
  [0, 1],
];
const before: readonly Row[] = [
  [0, 16],
  [5, 11],
  [9, 7],
  [15, 1],
];
const around: readonly Row[] = [
  [0, 16],
  [3, 10],
  [8, 3],
  [2, 1],
];

/** In the first tier, chunks and temperatures by position, windows, and a state. */
const tested = casesByTier(decoderFolders(), (name) =>
  ["llama4-text", "gemma2", "qwen3-next"].includes(name),
);

test.each(tested)("%s: padded rows have the logits of the rows alone", async (name) => {
  const model = await load(ownData.path(`hf/${name}`), { device: js() });
  const ids = text.map((id) => id % model.config.vocabSize);
  const alone = new Map(
    [after, before, around]
      .flat()
      .map(([, length]) => [length, model.apply(model.params, ids.slice(0, length))]),
  );
  const batch = (rows: readonly Row[]) =>
    rows.map(([first, length]) =>
      Array.from({ length: T }, (_, t) => (t >= first && t < first + length ? ids[t - first]! : ids[1]!)),
    );
  const agree = (logits: Tensor, rows: readonly Row[]) =>
    rows.forEach(([first, length], b) => {
      const row = slice(slice(logits, 0, b, b + 1), 1, first, first + length);
      expect(row.data).toBeAllclose(alone.get(length)!.data, logitTolerance);
    });
  agree(model.apply(model.params, batch(after), { padding: after.map(([, length]) => length) }), after);
  for (const rows of [before, around]) {
    const real = rows.flatMap(([first, length]) =>
      Array.from({ length: T }, (_, t) => (t >= first && t < first + length ? 1 : 0)),
    );
    const positions = Int32Array.from(
      rows.flatMap(([first]) => Array.from({ length: T }, (_, t) => Math.max(0, t - first))),
    );
    const mask = maskTensor(tensor(real, { shape: [rows.length, 1, 1, T], dtype: "bool" }));
    const padded = () => model.apply(model.params, batch(rows), { positions, mask });
    if (readsPadding(padded)) continue;
    agree(padded(), rows);
  }
});

/** True if the model refuses a mask, as states and byte patches have read each token before it. */
function readsPadding(padded: () => unknown): boolean {
  try {
    padded();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(/`mask` is .*(recurrent layers|byte|patches)/);
    return true;
  }
}

test("chunks are those of positions after earlier tokens, and other positions are refused there", async () => {
  const model = await load(ownData.path("hf/llama4-text"), { device: js() });
  const row = text.map((id) => id % model.config.vocabSize);
  const alone = model.apply(model.params, row);
  const first = 3;
  const cache = cacheFor(model.config);
  const padded = [...Array.from({ length: first }, () => row[1]!), ...row];
  const real = padded.map((_, t) => (t < first ? 0 : 1));
  for (const [start, end] of [
    [0, 9],
    [9, 13],
    [13, 14],
    [14, padded.length],
  ] as const) {
    const positions = Int32Array.from({ length: end - start }, (_, t) => Math.max(0, start + t - first));
    const mask = maskTensor(tensor(real.slice(0, end), { shape: [1, 1, 1, end], dtype: "bool" }));
    const logits = model.apply(model.params, padded.slice(start, end), { positions, mask, cache });
    const from = Math.max(first, start);
    expect(slice(logits, 1, from - start, end - start).data).toBeAllclose(
      slice(alone, 1, from - first, end - first).data,
      logitTolerance,
    );
  }
  expect(() => model.apply(model.params, [1, 2], { positions: Int32Array.of(16, 20), cache })).toThrow(
    /`positions` is \[16, 20\], expected consecutive positions in row 0/,
  );
});
