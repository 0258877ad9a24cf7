import { barsHeight, longBars, longHeight, walkBars } from "./flash-attention/byte-bars.js";
import { flashLayout } from "./flash-attention/layout.js";
import {
  computedTiles,
  type FlashAttentionChoices,
  type FlashAttentionModel,
} from "./flash-attention/model.js";
import { queryState, queryStates } from "./flash-attention/query-state.js";
import { inputMarks, scoreTiles } from "./flash-attention/score-tiles.js";
import { steps } from "./flash-attention/steps.js";
import { updateHeight, updateText } from "./flash-attention/update-text.js";
import { walkAt } from "./flash-attention/walk.js";
import { bytesText, countText } from "./bytes-text.js";
import type { Control, Figure, FigureTable, Moment } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { fixed } from "./fixed.js";

export type {
  FlashAttentionChoices,
  FlashAttentionModel,
  FlashMaskName,
  FlashTile,
  LongAttention,
  OnlineSoftmaxState,
} from "./flash-attention/model.js";

/**
 * *FlashAttention, tile by tile*: the tile of scores in fast memory (SRAM), the running maximum, sum and output
 * accumulator of each query, tiles that a mask skips, and the bytes moved to and from slow memory.
 *
 * The model is made by `flashAttentionModel` of `@qkv/figures/flash-attention`.
 *
 * @example
 * ```ts
 * import { flashAttention } from "@qkv/viz/figures/flash-attention";
 *
 * flashAttention.name; // => "flash-attention"
 * flashAttention.modelInputs; // => ["tileSize", "mask", "tokens"]
 * ```
 */
export const flashAttention: Figure<FlashAttentionModel, FlashAttentionChoices> = {
  name: "flash-attention",
  title: "FlashAttention, tile by tile",
  caption:
    "One attention call on random queries, keys and values. Only the outlined tile of scores is in fast memory. Grey: negative.",
  initial: { tileSize: 4, mask: "causal", tokens: 12, length: 16384 },
  modelInputs: ["tileSize", "mask", "tokens"],
  steps,
  scene,
  controls,
  table,
};

function scene(
  model: FlashAttentionModel,
  { length }: FlashAttentionChoices,
  { step, progress, focus }: Moment,
  width: number,
): Scene {
  const layout = flashLayout(model, width);
  const walk = walkAt(model, step, progress);
  const computed = computedTiles(model);
  const after = step - computed.length - 1; // 0: output, 1: long sequences
  const divided = after > 0 || (after === 0 && progress > 0.4);
  const { panel, bottom, beside, left, N, cell, phone, top } = layout;
  const before = walk.done === 0 ? 0 : model.tiles[walk.done - 1]!.bytesMoved;
  const tiled = walk.current ? before + walk.load * (walk.current.bytesMoved - before) : before;
  const share = after >= 0 ? 1 : step === 0 ? 0 : (step - 1 + progress) / computed.length;
  const half = (width - 44) / 2;
  const barsAt =
    beside || phone
      ? { ...panel, y: panel.y + updateHeight + 14 }
      : { x: 2 + half + 40, y: panel.y, width: half }; // beside the arithmetic
  const end = Math.max(bottom, barsAt.y + barsHeight + 8, panel.y + updateHeight);
  const long = model.long.lengths.find((each) => each.length === length)!;
  const marks: Mark[] = [
    {
      key: "scores:name",
      kind: "text",
      x: phone ? 2 : left,
      y: 16,
      text: `Scores, ${N} × ${N}: never stored`,
      size: phone ? 12 : 13,
      weight: 600,
    },
    {
      key: "scores:fast",
      kind: "text",
      x: phone ? width - 2 : left + N * cell,
      y: phone ? 16 : top + N * cell + 8 + 4 * layout.small + 16,
      text: walk.current ? "outlined: in fast memory" : "",
      anchor: "end",
      size: 11,
      fill: "weight-text",
    },
    ...inputMarks(model, walk, layout),
    ...scoreTiles(model, walk, layout),
    ...queryStates(model, walk, divided, layout),
    ...updateText(model, walk, focus, layout),
    ...tileCounts(model, beside, { x: panel.x, y: barsAt.y + barsHeight + 26 }),
    ...walkBars(model, tiled, share, barsAt),
    ...longBars(model, long, after === 1 ? progress : 1, {
      x: 2,
      y: end + 8,
      width: width - 4,
    }),
  ];
  return { width, height: end + 8 + longHeight(width), marks, description: describe(model) };
}

/** Numbers of full, partial and empty tiles. */
function tileCounts(
  { tiles, mask }: FlashAttentionModel,
  shown: boolean,
  { x, y }: { x: number; y: number },
): Mark[] {
  if (!shown) return [];
  const count = (kind: string) => tiles.filter((tile) => tile.kind === kind).length;
  const lines = [
    `${tiles.length} tiles${mask === "none" ? ", no mask" : " under this mask"}`,
    `${count("full")} full: every pair is visible, no test`,
    `${count("partial")} partial: each pair is tested`,
    `${count("empty")} empty: skipped, never read`,
  ];
  return lines.map((text, i): Mark => ({
    key: `count:${i}`,
    kind: "text",
    x,
    y: y + 12 + i * 22,
    text,
    size: i === 0 ? 13 : 12,
    weight: i === 0 ? 600 : 400,
  }));
}

function describe({ tiles, query, storedBytes }: FlashAttentionModel): string {
  const N = query.shape[0]!;
  const skipped = tiles.filter(({ kind }) => kind === "empty").length;
  return `Attention of ${N} queries over ${N} keys in ${tiles.length} tiles, ${skipped} of them skipped. It moves ${bytesText(tiles.at(-1)!.bytesMoved)}, plain attention ${bytesText(storedBytes)}.`;
}

function controls({ long }: FlashAttentionModel): Control<FlashAttentionChoices>[] {
  const numbers = (list: readonly number[]) => list.map((value) => ({ value, label: String(value) }));
  return [
    {
      kind: "choice",
      key: "mask",
      label: "Mask",
      options: [
        { value: "causal", label: "Causal" },
        { value: "none", label: "None" },
        { value: "window", label: "Window of 4" },
        { value: "documents", label: "Two documents" },
        { value: "prefix", label: "Prefix" },
      ],
    },
    { kind: "choice", key: "tileSize", label: "Tile size", options: numbers([2, 4, 8]) },
    { kind: "choice", key: "tokens", label: "Tokens", options: numbers([8, 12, 16]) },
    {
      kind: "select",
      key: "length",
      label: "Long sequence",
      options: long.lengths.map(({ length }) => ({ value: length, label: `${countText(length)} tokens` })),
    },
  ];
}

function table(model: FlashAttentionModel, _: FlashAttentionChoices, step: number): FigureTable {
  const computed = computedTiles(model);
  if (step > computed.length + 1)
    return {
      columns: ["tokens", "bytes of scores", "bytes moved, plain", "bytes moved, in tiles"],
      rows: model.long.lengths.map(({ length, scoreBytes, storedBytes, tiledBytes }) => [
        length,
        scoreBytes,
        storedBytes,
        tiledBytes,
      ]),
    };
  const walk = walkAt(model, step, 1);
  return {
    columns: ["query", "m", "l", "o"],
    rows: Array.from({ length: model.query.shape[0]! }, (_, t) => {
      const { max, sum, accumulator } = queryState(model, walk, t);
      return [
        t + 1,
        max === -Infinity ? "−∞" : fixed(max, 3),
        fixed(sum, 3),
        accumulator.map((value) => fixed(value, 3)).join(" "),
      ];
    }),
  };
}
