import type { AttentionCall, AttentionOutputs } from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { scoreTiles, tileTraces, type TileTrace } from "./score-tiles.js";

/** A score may exceed the reference m by this much before the sums are rescaled: e^64 does not overflow float64. */
const rescaleThreshold = 64;

/**
 * The forward pass of attention with an online softmax: for each query a reference score m, the sum l of the weights, and the sum o
 * of the weighted values. If a score exceeds m by more than the threshold, l and o are rescaled by exp(m − m′). No array of size
 * `[T, S]` is stored unless it is traced.
 *
 * Keys are processed one by one, so the result depends only on the visible keys and their order, not on the tiles: the same tokens
 * in a ring buffer, in pages or in one buffer give the same bits.
 *
 * Tiles without visible pairs are skipped. If the weights are needed, for a trace or for weightMod, a second pass over the tiles
 * computes them.
 *
 * @see "Online normalizer calculation for softmax" (2018), arXiv:1805.02867; "FlashAttention" (2022), arXiv:2205.14135
 */
export function attentionForward(call: AttentionCall<View>, outputs: AttentionOutputs<View>): void {
  const { plan, weightMod } = call;
  const { output, lse, weights, ...others } = outputs;
  const traces = Object.entries(others) as [Exclude<TileTrace, "weights">, View][];
  const tiles = scoreTiles(call, tileTraces(call.traces));
  const { sizes, values, scores } = tiles;
  const { B, H, T, S, Dv } = sizes;
  const weightedSum = new Float64Array(Dv);
  const needsSecondPass = weightMod || weights;

  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.selectRow(row);
    let reference = -Infinity;
    let total = 0;
    weightedSum.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.computeScores(start);
      for (let i = 0; length > 0 && i < traces.length; i++) {
        const [name, trace] = traces[i]!;
        trace.array.set(tiles[name].subarray(0, length), row * S + start);
      }
      for (let n = 0; n < length; n++) {
        const score = scores[n]!;
        if (score === -Infinity) continue; // masked values are never read, since 0 · NaN is NaN
        if (score - reference > rescaleThreshold) {
          const correction = Math.exp(reference - score); // 0 for the first key
          total *= correction;
          for (let d = 0; d < Dv; d++) weightedSum[d]! *= correction;
          reference = score;
        }
        const weight = Math.exp(score - reference);
        total += weight;
        if (!weightMod) values.addTo(weightedSum, weight, start + n);
      }
    }
    // The attention sink is added to the denominator only, once all keys are processed.
    const newReference = Math.max(reference, sink);
    const rescale = reference === -Infinity ? 0 : Math.exp(reference - newReference);
    total = total * rescale + (sink === -Infinity ? 0 : Math.exp(sink - newReference));
    const logSum = total === 0 ? -Infinity : newReference + Math.log(total);
    lse.array[row] = logSum;

    if (needsSecondPass) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.computeScores(start);
        if (length === 0) continue;
        const modified = tiles.computeWeights(logSum);
        weights?.array.set(tiles.weights.subarray(0, length), row * S + start);
        for (let n = 0; weightMod && n < length; n++) {
          if (scores[n] !== -Infinity) values.addTo(weightedSum, modified[n]!, start + n);
        }
      }
    }
    const factor = weightMod ? 1 : total === 0 ? 0 : rescale / total;
    for (let d = 0; d < Dv; d++) output.array[row * Dv + d] = weightedSum[d]! * factor;
  }
}
