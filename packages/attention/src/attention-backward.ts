import type { AttentionRequest, View } from "@qkv/tensor";
import { evaluator } from "@qkv/tensor/expressions";
import { sizesOf, storedRows, type AttentionInputs } from "@qkv/tensor/key-values";
import { tileIndex } from "@qkv/tensor/tile-plan";
import { packed } from "./packed.js";
import { ScoreTile, type TileTrace } from "./score-tile.js";

/** What reached the outputs of attention; undefined where nothing did. */
export type OutputGradients = {
  readonly output: View | undefined;
  readonly lse: View | undefined;
  readonly traces: readonly { name: TileTrace; view: View }[];
};

/** Where the gradients of the inputs go, in the order of the inputs. Packed and zeroed. */
export type InputGradients = {
  readonly query: View;
  readonly keys: readonly View[];
  readonly values: readonly View[];
  readonly tables: readonly View[];
  readonly sinks: View | undefined;
};

/**
 * The gradient of attention, from queries, keys, values and the saved logarithm of the sum: each tile of weights is
 * computed again, as in the forward pass, and nothing of the size `[T, S]` is held.
 *
 * With w the weights and u what is mixed (w, or weightMod of it):
 *   du = dO·v; dw = weightMod′·du (+ what reached traced weights); ds = w (dw − Σ w dw + dlse);
 *   and from ds back through scoreMod, softcap and scale to query and key.
 */
export function attentionBackward(
  inputs: AttentionInputs,
  attributes: AttentionRequest,
  saved: { output: View; lse: View },
  from: OutputGradients,
  to: InputGradients,
): void {
  const { plan, weightMod, scoreMod, scale, softcap } = attributes;
  const { lse, output } = saved;
  const sizes = sizesOf(inputs);
  const { B, H, T, S, D, Dv, group } = sizes;
  const { keys, values } = storedRows(inputs);
  const tile = new ScoreTile(inputs, keys, attributes, sizes);
  const scoreTables = scoreMod?.tables.length ?? 0;
  const modify =
    weightMod && evaluator(weightMod, plan.keyTile, inputs.tables.slice(scoreTables).map(packed));
  const dOutput = from.output && packed(from.output);
  const dLse = from.lse && packed(from.lse);
  const traced = new Map(from.traces.map(({ name, view }) => [name, packed(view)]));
  const dWeights = traced.get("weights");
  const everyDot = traced.has("dots") || traced.has("capped");
  const passThrough = everyDot || traced.has("scores");

  const dQuery = new Float64Array(D);
  const [dKey, dValue] = [new Float64Array(S * D), new Float64Array(S * Dv)];
  const dSinks = new Float64Array(H);
  const weights = new Float64Array(plan.keyTile);
  const dMixed = new Float64Array(plan.keyTile);
  const dScores = new Float64Array(plan.keyTile);
  const query = inputs.query;
  const [qb, qh, qt, qd] = query.strides as [number, number, number, number];

  let logSum = 0;

  /** Weights of a tile, what reached them, and the gradient of the mixture's coefficients. */
  const weigh = (b: number, h: number, t: number, start: number, length: number): Float64Array => {
    const row = (b * H + h) * T + t;
    for (let n = 0; n < length; n++) {
      const hidden = tile.scores[n] === -Infinity;
      weights[n] = hidden ? 0 : Math.exp(tile.scores[n]! - logSum);
      dMixed[n] = hidden || !dOutput ? 0 : values.dot(dOutput, row * Dv, 1, start + n, Dv);
    }
    if (!modify && !dWeights) return dMixed;
    let dw: Float64Array = dMixed;
    if (modify) {
      const place = tile.place(weights, b, h, t, start, length);
      modify.forward(place);
      dw = modify.backward(place, dMixed);
    }
    if (dWeights) for (let n = 0; n < length; n++) dw[n]! += dWeights[row * S + start + n]!;
    return dw;
  };

  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      const kvHead = Math.floor(h / group);
      if (h % group === 0) {
        keys.locate(b, kvHead);
        values.locate(b, kvHead);
        dKey.fill(0);
        dValue.fill(0);
      }
      const sink = inputs.sinks
        ? inputs.sinks.array[inputs.sinks.offset + h * inputs.sinks.strides[0]!]!
        : -Infinity;
      for (let t = 0; t < T; t++) {
        const row = (b * H + h) * T + t;
        const tileRow = Math.floor(t / plan.queryTile);
        const i = query.offset + b * qb + h * qh + t * qt;
        dQuery.fill(0);
        const walk = (visit: (start: number, length: number) => void): void => {
          for (let column = 0; column < plan.columns; column++) {
            const hidden = plan.classes[tileIndex(plan, b, h, tileRow, column)] === 0;
            if (hidden && !passThrough) continue;
            const start = column * plan.keyTile;
            const length = Math.min(plan.keyTile, S - start);
            tile.compute(b, h, t, column, everyDot);
            visit(start, length);
          }
        };
        logSum = lse.array[row]!;
        if (lse.dtype === "float32" && logSum !== -Infinity) {
          // Large logarithms lose digits in float32, which would tilt every weight: put them back.
          let total = inputs.sinks ? Math.exp(sink - logSum) : 0;
          walk((_start, length) => {
            for (let n = 0; n < length; n++) total += Math.exp(tile.scores[n]! - logSum);
          });
          logSum += Math.log(total);
        }
        // Σ w dw, which is dO·O where the weights themselves are mixed and nothing else reached them.
        let shared = 0;
        if (!modify && !dWeights) {
          if (dOutput)
            for (let d = 0; d < Dv; d++) shared += dOutput[row * Dv + d]! * output.array[row * Dv + d]!;
        } else {
          // This walk is only for the sum: what it adds to the gradients of weightMod's tables is put back.
          const before = modify?.tableGradients.map((gradient) => gradient.slice());
          walk((start, length) => {
            const dw = weigh(b, h, t, start, length);
            for (let n = 0; n < length; n++) shared += weights[n]! * dw[n]!;
          });
          before?.forEach((gradient, k) => modify!.tableGradients[k]!.set(gradient));
        }
        const reached = dLse ? dLse[row]! : 0;
        walk((start, length) => {
          const dw = weigh(b, h, t, start, length);
          for (let n = 0; n < length; n++) dScores[n] = weights[n]! * (dw[n]! - shared + reached);
          if (dOutput) {
            const mixed = modify ? modify.forward(tile.place(weights, b, h, t, start, length)) : weights;
            for (let n = 0; n < length; n++) {
              if (tile.scores[n] === -Infinity) continue;
              for (let d = 0; d < Dv; d++)
                dValue[(start + n) * Dv + d]! += mixed[n]! * dOutput[row * Dv + d]!;
            }
          }
          const at = row * S + start;
          addTraced(dScores, traced.get("scores"), at, length, tile.visible);
          const dCapped = tile.scoreMod
            ? tile.scoreMod.backward(tile.place(tile.capped, b, h, t, start, length), dScores)
            : dScores;
          addTraced(dCapped, traced.get("capped"), at, length);
          if (softcap > 0)
            for (let n = 0; n < length; n++) dCapped[n]! *= 1 - (tile.capped[n]! / softcap) ** 2;
          addTraced(dCapped, traced.get("dots"), at, length);
          for (let n = 0; n < length; n++) {
            const slope = scale * dCapped[n]!;
            // A key without influence is not read: what it holds may be no number.
            if (slope === 0) continue;
            const { array, step } = keys.parts[keys.part[start + n]!]!;
            const j = keys.offset[start + n]!;
            for (let d = 0; d < D; d++) {
              dQuery[d]! += slope * array[j + d * step]!;
              dKey[(start + n) * D + d]! += slope * query.array[i + d * qd]!;
            }
          }
        });
        to.query.array.set(dQuery, row * D);
        if (sink !== -Infinity) dSinks[h]! += Math.exp(sink - logSum) * (reached - shared);
      }
      if ((h + 1) % group === 0) {
        store(to.keys, dKey, b, kvHead, D);
        store(to.values, dValue, b, kvHead, Dv);
      }
    }
  }
  to.sinks?.array.set(dSinks);
  const tableGradients = [...(tile.scoreMod?.tableGradients ?? []), ...(modify?.tableGradients ?? [])];
  to.tables.forEach(({ array }, k) => array.set(tableGradients[k]!));
}

/** The gradient of one key-value head, cut into its parts. */
function store(
  parts: readonly View[],
  gradient: Float64Array,
  batch: number,
  head: number,
  width: number,
): void {
  let start = 0;
  for (const { array, shape } of parts) {
    const [, heads, length] = shape as [number, number, number];
    array.set(gradient.subarray(start, start + length * width), (batch * heads + head) * length * width);
    start += length * width;
  }
}

function addTraced(
  to: Float64Array,
  gradient: ArrayLike<number> | undefined,
  at: number,
  length: number,
  visible?: Uint8Array,
): void {
  if (!gradient) return;
  for (let n = 0; n < length; n++) if (!visible || visible[n]) to[n]! += gradient[at + n]!;
}
