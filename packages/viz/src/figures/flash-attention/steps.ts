import { bytesText, countText } from "../bytes-text.js";
import type { Step } from "../figure.js";
import { blockRange, computedTiles, type FlashAttentionChoices, type FlashAttentionModel } from "./model.js";

const paper = {
  text: "“FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness” (2022)",
  url: "https://arxiv.org/abs/2205.14135",
};

/** "3", or "1–4", counted from 1. */
export const rangeText = ({ start, end }: { start: number; end: number }): string =>
  end - start === 1 ? `${end}` : `${start + 1}–${end}`;

export function steps(model: FlashAttentionModel, { length }: FlashAttentionChoices): Step[] {
  const N = model.query.shape[0]!;
  const computed = computedTiles(model);
  const skipped = model.tiles.length - computed.length;
  const long = model.long.lengths.find((each) => each.length === length)!;
  return [
    {
      id: "start",
      chapter: "Start",
      title: `${N} queries, ${N} keys: ${N * N} scores`,
      text: `Plain attention writes all ${N} × ${N} scores to memory and reads them again. FlashAttention cuts them into tiles. Only one tile is in fast memory at a time, and the whole matrix is never stored.`,
      milliseconds: 1400,
    },
    ...computed.map((tile): Step => {
      const { row, column, kind, before, after } = tile;
      const queries = rangeText(blockRange(row, model));
      const keys = rangeText(blockRange(column, model));
      const isFirst = !before.sum.some((sum) => sum > 0);
      const rescaled = after.max.filter((m, i) => before.sum[i]! > 0 && m > before.max[i]!).length;
      const updateText = isFirst
        ? "The first tile sets the maximum m, the sum l and the output accumulator o of each query."
        : rescaled === 0
          ? "No score is larger than the maximum so far: the tile is added to l and o, and nothing is rescaled."
          : `${rescaled === 1 ? "One query meets" : `${rescaled} queries meet`} a larger score: what l and o hold so far is multiplied by e to the power of (old m − new m), then the tile is added.`;
      return {
        id: `tile-${row + 1}-${column + 1}`,
        chapter: `Queries ${queries}`,
        title: `Queries ${queries} with keys ${keys}`,
        text: `${updateText}${kind === "partial" ? " The mask hides some pairs of this tile, so each is tested." : ""}`,
        milliseconds: 2200,
      };
    }),
    {
      id: "output",
      chapter: "Output",
      title: "o divided by l is the output",
      text: `Each query divides its accumulator by its sum, once. The result is that of plain attention, up to rounding. ${skipped === 0 ? "No tile could be skipped without a mask." : `${skipped} of ${model.tiles.length} tiles are fully masked: they are skipped, and their keys and values are not read.`}`,
      milliseconds: 1800,
      source: paper,
    },
    {
      id: "long",
      chapter: "Long sequences",
      title: `${countText(length)} tokens: ${bytesText(long.scoreBytes)} of scores, or none`,
      text: `Twice the length means four times the scores. Plain attention with ${model.long.numHeads} heads stores ${bytesText(long.scoreBytes)}; tiled attention stores one number for each query and head besides its output, and moves ${bytesText(long.tiledBytes)} instead of ${bytesText(long.storedBytes)}.`,
      milliseconds: 1800,
      source: paper,
    },
  ];
}
