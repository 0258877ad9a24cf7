import type {
  AttentionCall,
  AttentionGradients,
  AttentionSaved,
  KeyValueSegment,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { scoreTiles, tileTraces, type TileTrace } from "./score-tiles.js";

/**
 * The backward pass of attention, from queries, keys, values and the saved log-sum-exp: each tile of weights is recomputed, as in
 * FlashAttention, and no array of size `[T, S]` is stored.
 *
 * With weights w and u = weightMod(w), which is w without a weightMod:
 *   du = dO·v; dw = weightMod′·du (+ gradient of traced weights); ds = w (dw − Σ w dw + dlse);
 *   and from ds back through scoreMod, softcap and scale to query and key.
 *
 * @param saved - Outputs of the forward pass.
 * @param gradients - Gradients with respect to the outputs, contiguous.
 * @param to - An object like `call` with the buffers for the gradients of its tensors: contiguous and zeroed.
 * @see "FlashAttention" (2022), arXiv:2205.14135, algorithm 4
 */
export function attentionBackward(
  call: AttentionCall<View>,
  { output, lse }: AttentionSaved<View>,
  gradients: AttentionGradients<View>,
  to: AttentionCall<View>,
): void {
  const { plan, scale, softcap = 0, traces } = call;
  const numbers = (view: View | undefined) => view?.array.subarray(view.offset);
  const [dOutput, dLse, dWeights] = [gradients.output, gradients.lse, gradients.weights].map(numbers);
  const tiles = scoreTiles(
    call,
    tileTraces(traces).filter((name) => gradients[name]),
  );
  const { sizes, keys, values, scoreMod, weightMod, query } = tiles;
  const { B, H, T, S, D, Dv, group } = sizes;
  const rowsPerKvHead = group * T; // rows (queries) that share a key-value head
  const { capped, scores, weights, seen } = tiles;

  const dQuery = new Float64Array(D);
  const [dKey, dValue] = [new Float64Array(S * D), new Float64Array(S * Dv)];
  const dSinks = new Float64Array(H);
  const dModified = new Float64Array(plan.keyTile); // du
  const dScores = new Float64Array(plan.keyTile);

  /** Adds the gradient of a traced tensor in this tile. Masked scores are −∞, constants, and get none. */
  const addTraced = (name: TileTrace, to: Float64Array, at: number, length: number): void => {
    const gradient = numbers(gradients[name]);
    if (!gradient) return;
    for (let n = 0; n < length; n++) if (name !== "scores" || seen[n]) to[n]! += gradient[at + n]!;
  };

  /** The gradient dw of the weights in the current tile. */
  const weightGradient = (row: number, start: number, length: number): Float64Array => {
    for (let n = 0; n < length; n++) {
      const hasGradient = dOutput && scores[n] !== -Infinity;
      dModified[n] = hasGradient ? values.dot(dOutput, row * Dv, 1, start + n, Dv) : 0;
    }
    const dw = weightMod ? weightMod.backward(tiles.from(weights), dModified) : dModified;
    addTraced("weights", dw, row * S + start, length);
    return dw;
  };

  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.selectRow(row);
    if (row % rowsPerKvHead === 0) {
      dKey.fill(0);
      dValue.fill(0);
    }
    let logSum = lse.array[row]!;
    if (lse.dtype === "float32" && logSum !== -Infinity) {
      // The saved log-sum-exp was rounded to float32, which would scale all weights of the row: it is corrected in float64.
      let total = Math.exp(sink - logSum);
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.computeScores(start);
        for (let n = 0; n < length; n++) total += Math.exp(scores[n]! - logSum);
      }
      logSum += Math.log(total);
    }
    // Σ w dw. Without weightMod and without a gradient of traced weights it equals dO·O.
    let weightedSum = 0;
    if (weightMod || dWeights) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.computeScores(start);
        if (length === 0) continue;
        tiles.computeWeights(logSum);
        const dw = weightGradient(row, start, length);
        for (let n = 0; n < length; n++) weightedSum += weights[n]! * dw[n]!;
      }
    } else if (dOutput) {
      for (let d = row * Dv; d < (row + 1) * Dv; d++) weightedSum += dOutput[d]! * output.array[d]!;
    }
    const softmaxTerm = (dLse?.[row] ?? 0) - weightedSum;

    dQuery.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.computeScores(start);
      if (length === 0) continue;
      const modified = tiles.computeWeights(logSum);
      const dw = weightGradient(row, start, length);
      for (let n = 0; n < length; n++) {
        dScores[n] = weights[n]! * (dw[n]! + softmaxTerm);
        if (!dOutput || scores[n] === -Infinity) continue;
        addRow(dValue, (start + n) * Dv, modified[n]!, dOutput, row * Dv, Dv);
      }
      const at = row * S + start;
      addTraced("scores", dScores, at, length);
      const dCapped = scoreMod ? scoreMod.backward(tiles.from(capped), dScores) : dScores;
      addTraced("capped", dCapped, at, length);
      if (softcap > 0) for (let n = 0; n < length; n++) dCapped[n]! *= 1 - (capped[n]! / softcap) ** 2;
      addTraced("dots", dCapped, at, length);
      for (let n = 0; n < length; n++) {
        const slope = scale * dCapped[n]!;
        // Masked keys are not read, since they may contain NaN.
        if (slope === 0) continue;
        keys.addTo(dQuery, slope, start + n);
        addRow(dKey, (start + n) * D, slope, query, 0, D);
      }
    }
    to.query.array.set(dQuery, row * D);
    if (sink !== -Infinity) dSinks[Math.floor(row / T) % H]! += Math.exp(sink - logSum) * softmaxTerm;
    if ((row + 1) % rowsPerKvHead === 0) {
      store(to.keyValues.key, dKey, Math.floor(row / rowsPerKvHead), D);
      store(to.keyValues.value, dValue, Math.floor(row / rowsPerKvHead), Dv);
    }
  }
  to.sinks?.array.set(dSinks);
  to.scoreMod?.tables.forEach((table, i) => table.array.set(scoreMod!.tableGradients[i]!));
  // The gradients of the tables of weightMod were added twice: in the pass for the sum Σ w dw, and in the last pass.
  to.weightMod?.tables.forEach((table, i) =>
    table.array.set(weightMod!.tableGradients[i]!.map((x) => x / 2)),
  );
}

/** Adds `factor` times `n` numbers of `from`, from index `start` on, to `to`, from index `at` on. */
function addRow(
  to: Float64Array,
  at: number,
  factor: number,
  from: ArrayLike<number>,
  start: number,
  n: number,
): void {
  for (let d = 0; d < n; d++) to[at + d]! += factor * from[start + d]!;
}

/** Writes the gradient of one key-value head, `head` = batch · Hkv + head, to its segments, which are all tensors. */
function store(
  segments: readonly KeyValueSegment<View>[],
  gradient: Float64Array,
  head: number,
  width: number,
): void {
  let start = 0;
  for (const { array, shape } of segments as readonly View[]) {
    const size = shape[2]! * width;
    array.set(gradient.subarray(start, (start += size)), head * size);
  }
}
