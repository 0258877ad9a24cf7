import type {
  AttentionCall,
  AttentionGradients,
  AttentionSaved,
  KeyValueSegment,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { scoreTiles, tileTraces, type TileTrace } from "./score-tiles.js";

/**
 * The gradient of attention, from queries, keys, values and the saved logarithm of the sum: each tile of weights is
 * computed again, as in the forward pass, and nothing of the size `[T, S]` is held.
 *
 * With w the weights and u what is mixed (w, or weightMod of it):
 *   du = dO·v; dw = weightMod′·du (+ what reached traced weights); ds = w (dw − Σ w dw + dlse);
 *   and from ds back through scoreMod, softcap and scale to query and key.
 *
 * @param saved - Outputs of the forward call.
 * @param gradients - Those that reached the outputs, packed.
 * @param to - The form of the call, where the gradients of its tensors go: packed and zeroed.
 */
export function attentionBackward(
  call: AttentionCall<View>,
  { output, lse }: AttentionSaved<View>,
  gradients: AttentionGradients<View>,
  to: AttentionCall<View>,
): void {
  const { plan, scale, softcap = 0, want } = call;
  const reached = (view: View | undefined) => view?.array.subarray(view.offset);
  const [dOutput, dLse, dWeights] = [gradients.output, gradients.lse, gradients.weights].map(reached);
  const tiles = scoreTiles(
    call,
    tileTraces(want).filter((name) => gradients[name]),
  );
  const { sizes, keys, values, scoreMod, weightMod, query } = tiles;
  const { B, H, T, S, D, Dv, group } = sizes;
  const sharing = group * T; // rows that share a head of keys and values
  const { capped, scores, weights, seen } = tiles;

  const dQuery = new Float64Array(D);
  const [dKey, dValue] = [new Float64Array(S * D), new Float64Array(S * Dv)];
  const dSinks = new Float64Array(H);
  const dMixed = new Float64Array(plan.keyTile);
  const dScores = new Float64Array(plan.keyTile);

  /** Adds what reached a trace of the tile: to scores where they are seen, since −∞ has no slope. */
  const addTraced = (name: TileTrace, to: Float64Array, at: number, length: number): void => {
    const gradient = reached(gradients[name]);
    if (!gradient) return;
    for (let n = 0; n < length; n++) if (name !== "scores" || seen[n]) to[n]! += gradient[at + n]!;
  };

  /** Gradient that reached the weights of the tile that was weighed. */
  const weightGradient = (row: number, start: number, length: number): Float64Array => {
    for (let n = 0; n < length; n++) {
      const reached = dOutput && scores[n] !== -Infinity;
      dMixed[n] = reached ? values.dot(dOutput, row * Dv, 1, start + n, Dv) : 0;
    }
    const dw = weightMod ? weightMod.backward(tiles.from(weights), dMixed) : dMixed;
    addTraced("weights", dw, row * S + start, length);
    return dw;
  };

  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.seek(row);
    if (row % sharing === 0) {
      dKey.fill(0);
      dValue.fill(0);
    }
    let logSum = lse.array[row]!;
    if (lse.dtype === "float32" && logSum !== -Infinity) {
      // Large logarithms lose digits in float32, which would tilt every weight: put them back.
      let total = Math.exp(sink - logSum);
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        for (let n = 0; n < length; n++) total += Math.exp(scores[n]! - logSum);
      }
      logSum += Math.log(total);
    }
    // Σ w dw, which is dO·O where the weights themselves are mixed and nothing else reached them.
    let shared = 0;
    if (weightMod || dWeights) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        if (length === 0) continue;
        tiles.weigh(logSum);
        const dw = weightGradient(row, start, length);
        for (let n = 0; n < length; n++) shared += weights[n]! * dw[n]!;
      }
    } else if (dOutput) {
      for (let d = row * Dv; d < (row + 1) * Dv; d++) shared += dOutput[d]! * output.array[d]!;
    }
    const rest = (dLse?.[row] ?? 0) - shared;

    dQuery.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.read(start);
      if (length === 0) continue;
      const mixed = tiles.weigh(logSum);
      const dw = weightGradient(row, start, length);
      for (let n = 0; n < length; n++) {
        dScores[n] = weights[n]! * (dw[n]! + rest);
        if (!dOutput || scores[n] === -Infinity) continue;
        addRow(dValue, (start + n) * Dv, mixed[n]!, dOutput, row * Dv, Dv);
      }
      const at = row * S + start;
      addTraced("scores", dScores, at, length);
      const dCapped = scoreMod ? scoreMod.backward(tiles.from(capped), dScores) : dScores;
      addTraced("capped", dCapped, at, length);
      if (softcap > 0) for (let n = 0; n < length; n++) dCapped[n]! *= 1 - (capped[n]! / softcap) ** 2;
      addTraced("dots", dCapped, at, length);
      for (let n = 0; n < length; n++) {
        const slope = scale * dCapped[n]!;
        // A key without influence is not read: what it holds may be no number.
        if (slope === 0) continue;
        keys.addTo(dQuery, slope, start + n);
        addRow(dKey, (start + n) * D, slope, query, 0, D);
      }
    }
    to.query.array.set(dQuery, row * D);
    if (sink !== -Infinity) dSinks[Math.floor(row / T) % H]! += Math.exp(sink - logSum) * rest;
    if ((row + 1) % sharing === 0) {
      store(to.keyValues.key, dKey, Math.floor(row / sharing), D);
      store(to.keyValues.value, dValue, Math.floor(row / sharing), Dv);
    }
  }
  to.sinks?.array.set(dSinks);
  to.scoreMod?.tables.forEach((table, i) => table.array.set(scoreMod!.tableGradients[i]!));
  // The tables of weightMod were reached twice: by the walk for the sum, and by the last one.
  to.weightMod?.tables.forEach((table, i) =>
    table.array.set(weightMod!.tableGradients[i]!.map((x) => x / 2)),
  );
}

/** to += factor · n numbers of `from`, each from its place on. */
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

/** Stores the gradient of one head of keys or values, the `head`th of all batches, in its segments: all are tensors. */
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
