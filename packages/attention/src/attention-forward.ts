import type { AttentionCall, AttentionOutputs } from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { scoreTiles, tileTraces, type TileTrace } from "./score-tiles.js";

/** Largest distance of a score above the reference: e^64 times as much as the rest loses no digit in float64. */
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
export function attentionForward(call: AttentionCall<View>, outputs: AttentionOutputs<View>): void {
  const { plan, weightMod } = call;
  const { output, lse, weights, ...others } = outputs;
  const traces = Object.entries(others) as [Exclude<TileTrace, "weights">, View][];
  const tiles = scoreTiles(call, tileTraces(call.want));
  const { sizes, values, scores } = tiles;
  const { B, H, T, S, Dv } = sizes;
  const mixture = new Float64Array(Dv);
  const secondWalk = weightMod || weights;

  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.seek(row);
    let reference = -Infinity;
    let total = 0;
    mixture.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.read(start);
      for (let i = 0; length > 0 && i < traces.length; i++) {
        const [name, trace] = traces[i]!;
        trace.array.set(tiles[name].subarray(0, length), row * S + start);
      }
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
        if (!weightMod) values.addTo(mixture, weight, start + n);
      }
    }
    // A sink takes part in the sum alone, and joins once, at the end.
    const top = Math.max(reference, sink);
    const shrink = reference === -Infinity ? 0 : Math.exp(reference - top);
    total = total * shrink + (sink === -Infinity ? 0 : Math.exp(sink - top));
    const logSum = total === 0 ? -Infinity : top + Math.log(total);
    lse.array[row] = logSum;

    if (secondWalk) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        if (length === 0) continue;
        const mixed = tiles.weigh(logSum);
        weights?.array.set(tiles.weights.subarray(0, length), row * S + start);
        for (let n = 0; weightMod && n < length; n++) {
          if (scores[n] !== -Infinity) values.addTo(mixture, mixed[n]!, start + n);
        }
      }
    }
    const factor = weightMod ? 1 : total === 0 ? 0 : shrink / total;
    for (let d = 0; d < Dv; d++) output.array[row * Dv + d] = mixture[d]! * factor;
  }
}
