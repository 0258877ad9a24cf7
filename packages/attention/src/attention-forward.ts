import type { AttentionRequest, View } from "@qkv/tensor";
import { evaluator } from "@qkv/tensor/expressions";
import { sizesOf, storedRows, type AttentionInputs } from "@qkv/tensor/key-values";
import { tileIndex } from "@qkv/tensor/tile-plan";
import { packed } from "./packed.js";
import { ScoreTile, type TileTrace } from "./score-tile.js";

/** How far a score may lie above the reference: e^64 times as much as the rest loses no digit in float64. */
const slack = 64;

/**
 * Attention with an online softmax: per query a reference m, a sum l and a mixture o, corrected by exp(m − m′) when a
 * score lies far above the reference. Nothing of the size `[T, S]` is held unless it is traced.
 *
 * Keys are taken one by one, so that the result depends on the keys that are seen and their order, and not on where
 * tiles begin: the same tokens in a ring, in pages or in one buffer give the same bits.
 *
 * Tiles that the plan hides are not read. A second walk over the tiles follows where weights themselves are needed:
 * for a trace of them, and for weightMod.
 *
 * @see "Online normalizer calculation for softmax" (2018), arXiv:1805.02867; "FlashAttention" (2022), arXiv:2205.14135
 */
export function attentionForward(
  inputs: AttentionInputs,
  attributes: AttentionRequest,
  output: View,
  lse: View,
  traces: readonly { name: TileTrace; view: View }[],
): void {
  const { plan, weightMod, scoreMod } = attributes;
  const sizes = sizesOf(inputs);
  const { B, H, T, S, Dv, group } = sizes;
  const { keys, values } = storedRows(inputs);
  const tile = new ScoreTile(inputs, keys, attributes, sizes);
  const tables = inputs.tables.slice(scoreMod?.tables.length ?? 0).map(packed);
  const modify = weightMod && evaluator(weightMod, plan.keyTile, tables);
  const everyDot = traces.some(({ name }) => name === "dots" || name === "capped");
  const secondWalk = modify !== undefined || traces.some(({ name }) => name === "weights");
  const mixture = new Float64Array(Dv);
  const weights = new Float64Array(plan.keyTile);

  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      if (h % group === 0) {
        keys.locate(b, h / group);
        values.locate(b, h / group);
      }
      const sink = inputs.sinks
        ? inputs.sinks.array[inputs.sinks.offset + h * inputs.sinks.strides[0]!]!
        : -Infinity;
      for (let t = 0; t < T; t++) {
        const row = (b * H + h) * T + t;
        const tileRow = Math.floor(t / plan.queryTile);
        let reference = -Infinity;
        let total = 0;
        mixture.fill(0);
        for (let column = 0; column < plan.columns; column++) {
          const hidden = plan.classes[tileIndex(plan, b, h, tileRow, column)] === 0;
          if (hidden && traces.length === 0) continue;
          const start = column * plan.keyTile;
          const length = Math.min(plan.keyTile, S - start);
          tile.compute(b, h, t, column, everyDot);
          for (const { name, view } of traces) {
            if (name !== "weights") view.array.set(tile[name].subarray(0, length), row * S + start);
          }
          const { scores } = tile;
          for (let n = 0; n < length; n++) {
            const score = scores[n]!;
            if (score === -Infinity) continue; // a hidden value is never read: 0 · NaN must not leak
            if (score - reference > slack) {
              const correction = Math.exp(reference - score); // 0 at first
              total *= correction;
              for (let d = 0; d < Dv; d++) mixture[d]! *= correction;
              reference = score;
            }
            const weight = Math.exp(score - reference);
            total += weight;
            if (!modify) values.addTo(mixture, weight, start + n);
          }
        }
        // A sink takes part in the sum alone, and joins once, at the end.
        const top = Math.max(reference, sink);
        const shrink = reference === -Infinity ? 0 : Math.exp(reference - top);
        total = total * shrink + (sink === -Infinity ? 0 : Math.exp(sink - top));
        const logSum = total === 0 ? -Infinity : top + Math.log(total);
        lse.array[row] = logSum;

        if (secondWalk) {
          if (modify) mixture.fill(0);
          for (let column = 0; column < plan.columns; column++) {
            if (plan.classes[tileIndex(plan, b, h, tileRow, column)] === 0) continue;
            const start = column * plan.keyTile;
            const length = Math.min(plan.keyTile, S - start);
            tile.compute(b, h, t, column, false);
            for (let n = 0; n < length; n++) {
              weights[n] = tile.scores[n] === -Infinity ? 0 : Math.exp(tile.scores[n]! - top) / total;
            }
            for (const { name, view } of traces) {
              if (name === "weights") view.array.set(weights.subarray(0, length), row * S + start);
            }
            if (!modify) continue;
            const modified = modify.forward(tile.place(weights, b, h, t, start, length));
            for (let n = 0; n < length; n++) {
              if (tile.scores[n] !== -Infinity) values.addTo(mixture, modified[n]!, start + n);
            }
          }
        }
        const factor = modify ? 1 : total === 0 ? 0 : shrink / total;
        for (let d = 0; d < Dv; d++) output.array[row * Dv + d] = mixture[d]! * factor;
      }
    }
  }
}
