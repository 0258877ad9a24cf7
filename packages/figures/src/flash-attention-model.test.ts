import { attention, causal } from "@qkv/attention";
import { attentionTraffic } from "@qkv/cost";
import { tensor } from "@qkv/tensor";
import { flashAttention, type FlashAttentionModel, type FlashTile } from "@qkv/viz/figures/flash-attention";
import { expect, test } from "vitest";
import { flashAttentionModel } from "./flash-attention-model.js";

const maskNames = ["causal", "none", "window", "documents", "prefix"] as const;
const cases = maskNames.flatMap((mask) =>
  [2, 4, 8].flatMap((tileSize) => [8, 12, 16].map((tokens) => ({ mask, tileSize, tokens }))),
);
const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  Array.from(a).forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(1e-4));
};
const rows = ({ query, tileSize }: FlashAttentionModel, block: number) =>
  Array.from(
    { length: Math.min(tileSize, query.shape[0]! - block * tileSize) },
    (_, i) => block * tileSize + i,
  );
const kinds = (tiles: readonly FlashTile[]) => tiles.map(({ kind }) => kind);

test.each(cases)("$mask, tiles of $tileSize, $tokens tokens: each state follows from the last", (choices) => {
  const model = flashAttentionModel(choices);
  const [N, D] = model.query.shape as [number, number];
  for (const { row, column, kind, before, after } of model.tiles) {
    rows(model, row).forEach((t, i) => {
      const scores = rows(model, column).map((s) => model.scores.data[t * N + s]!);
      const m = Math.max(before.max[i]!, ...scores);
      expect(after.max[i]).toBe(m);
      if (m === -Infinity) return;
      const shares = scores.map((score) => Math.exp(score - m));
      const factor = Math.exp(before.max[i]! - m);
      close([after.sum[i]!], [factor * before.sum[i]! + shares.reduce((a, b) => a + b, 0)]);
      const added = (d: number) =>
        rows(model, column).reduce((sum, s, j) => sum + shares[j]! * model.value.data[s * D + d]!, 0);
      close(
        after.accumulator[i]!,
        before.accumulator[i]!.map((o, d) => factor * o + added(d)),
      );
    });
    const seen = rows(model, row).flatMap((t) =>
      rows(model, column).map((s) => model.scores.data[t * N + s]! > -Infinity),
    );
    const expected = seen.every(Boolean) ? "full" : seen.some(Boolean) ? "partial" : "empty";
    expect(kind).toBe(expected);
  }
});

test.each(cases)("$mask, tiles of $tileSize, $tokens tokens: o / l is the output", (choices) => {
  const model = flashAttentionModel(choices);
  const [N, D] = model.query.shape as [number, number];
  for (let t = 0; t < N; t++) {
    const { after } = model.tiles.findLast(({ row }) => row === Math.floor(t / model.tileSize))!;
    const i = t % model.tileSize;
    close(
      after.accumulator[i]!.map((o) => o / after.sum[i]!),
      Array.from(model.output.data).slice(t * D, (t + 1) * D),
    );
  }
});

test("the output is that of attention", () => {
  const { query, key, value, output } = flashAttentionModel();
  const call = [query, key, value].map(({ data, shape }) =>
    tensor([
      [
        Array.from({ length: shape[0]! }, (_, t) =>
          Array.from(data).slice(t * shape[1]!, (t + 1) * shape[1]!),
        ),
      ],
    ]),
  ) as [ReturnType<typeof tensor>, ReturnType<typeof tensor>, ReturnType<typeof tensor>];
  expect(Array.from(attention(...call, { mask: causal() }).data)).toEqual(output.data);
});

test("bytes: queries are read and outputs written once, keys and values once for each computed tile", () => {
  for (const choices of cases) {
    const { tiles, query, tileSize, storedBytes } = flashAttentionModel(choices);
    const [N, D] = query.shape as [number, number];
    const keys = tiles
      .filter(({ kind }) => kind !== "empty")
      .reduce((sum, { column }) => sum + Math.min(tileSize, N - column * tileSize), 0);
    expect(tiles.at(-1)!.bytesMoved).toBe((2 * N + 2 * keys) * D * 4);
    expect(storedBytes).toBe((4 * N * N + 4 * N * D) * 4);
  }
});

test("larger tiles and masks move fewer bytes", () => {
  const moved = (choices: Parameters<typeof flashAttentionModel>[0]) =>
    flashAttentionModel({ tokens: 16, ...choices }).tiles.at(-1)!.bytesMoved;
  const sizes = [2, 4, 8].map((tileSize) => moved({ tileSize, mask: "none" }));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  expect(moved({ mask: "causal" })).toBeLessThan(moved({ mask: "none" }));
});

test("long sequences: N · N · H · 4 bytes of scores, more than one buffer from 4,096 tokens on", () => {
  const { long } = flashAttentionModel();
  for (const { length, scoreBytes, storedBytes, tiledBytes } of long.lengths) {
    const { numHeads, headDim, sramBytes } = long;
    const call = { batchSize: 1, numHeads, length, headDim, bytesPerNumber: 4, sramBytes };
    const { stored, tiled } = attentionTraffic(call);
    expect([storedBytes, tiledBytes]).toEqual([stored.bytesMoved, tiled.bytesMoved]);
    expect(scoreBytes).toBe(length ** 2 * numHeads * 4);
    expect(scoreBytes > long.limitBytes).toBe(length > 2048);
  }
});

test("causal tiles above the diagonal are skipped", () => {
  const { tiles } = flashAttentionModel({ tokens: 12, tileSize: 4 });
  expect(kinds(tiles)).toEqual([
    ...["partial", "empty", "empty"],
    ...["full", "partial", "empty"],
    ...["full", "full", "partial"],
  ]);
});

test("every offer of a control is one that the model takes; others are refused", () => {
  const model = flashAttentionModel();
  for (const control of flashAttention.controls(model, flashAttention.initial)) {
    if (!("options" in control)) continue;
    for (const { value } of control.options)
      expect(flashAttentionModel({ [control.key]: value }).output.shape[1]).toBe(4);
  }
  expect(() => flashAttentionModel({ tileSize: 3 })).toThrow(/flashAttentionModel: `tileSize` is 3/);
});
