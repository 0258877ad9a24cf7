import {
  callSizes,
  evaluator,
  firstQueryPosition,
  keyPositions,
  positionList,
  seenKeys,
  StoredRows,
  tileIndex,
  type AttentionCall,
  type Expression,
  type ScoreRow,
  type TraceName,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";

/** Traces that are computed tile by tile: all except `lse`, which is an output of every call. */
export type TileTrace = Exclude<TraceName, "lse">;

/** The names without `lse`. */
export function tileTraces(names: readonly TraceName[]): TileTrace[] {
  return names.filter((name) => name !== "lse");
}

/**
 * Computes the scores of a call, for one query and one tile of keys at a time. The forward and the backward pass use the same code,
 * so recomputed scores are equal bit for bit. The arrays of the result contain the tile that was computed last.
 *
 * @param traced - Requested traces. Those that include masked pairs (`dots`, `capped`, `scores`) require tiles that the plan skips.
 */
export function scoreTiles(call: AttentionCall<View>, traced: readonly TileTrace[]) {
  const { keyValues, plan, scale, softcap = 0, sinks, firstQuery } = call;
  const { keyTile, queryTile } = plan;
  const sizes = callSizes(call);
  const { B, H, T, S, D, group } = sizes;
  const keys = new StoredRows(keyValues.key, B);
  const values = new StoredRows(keyValues.value, B);
  const { array, strides, offset } = call.query;
  const [qb, qh, qt, qd] = strides as [number, number, number, number];
  const positions = keyPositions(keyValues.positions, S);
  const everyDot = traced.includes("dots") || traced.includes("capped");
  const everyTile = everyDot || traced.includes("scores");

  const evaluate = (mod: Expression<View> | undefined) =>
    mod &&
    evaluator(
      mod,
      keyTile,
      mod.tables.map(({ array, offset }) => array.subarray(offset)),
    );
  const scoreMod = evaluate(call.scoreMod);
  const weightMod = evaluate(call.weightMod);

  const query = new Float64Array(D);
  const tile = () => new Float64Array(keyTile);
  const [dots, scores, weights] = [tile(), tile(), tile()];
  const capped = softcap > 0 ? tile() : dots;
  const seen = new Uint8Array(keyTile);
  /** Scores and indices of the current row and tile, the inputs of expressions. */
  const at = {
    score: capped as Float64Array,
    key: positions[0]!,
    firstKey: 0,
    batch: 0,
    head: 0,
    query: 0,
    length: 0,
  };
  let t = 0;

  /** The inputs of an expression with the given scores. */
  const from = (score: Float64Array): ScoreRow => {
    at.score = score;
    return at;
  };

  return {
    sizes,
    keys,
    values,
    scoreMod,
    weightMod,
    query,
    dots,
    capped,
    /** Scores; −∞ for masked keys. */
    scores,
    weights,
    seen,
    from,

    /** Selects a query, with `row` = (batch · H + head) · T + t. Returns the sink logit of its head, or −∞ if there are no sinks. */
    selectRow(row: number): number {
      t = row % T;
      const head = Math.floor(row / T) % H;
      const batch = Math.floor(row / (T * H));
      if (row % (T * group) === 0) {
        keys.locate(batch, head / group);
        values.locate(batch, head / group);
      }
      const i = offset + batch * qb + head * qh + t * qt;
      for (let d = 0; d < D; d++) query[d] = array[i + d * qd]!;
      at.batch = batch;
      at.head = head;
      at.query = firstQueryPosition(firstQuery, batch) + t;
      at.key = positions[positionList(positions.length, B, batch, Math.floor(head / group))]!;
      return sinks ? sinks.array[sinks.offset + head * sinks.strides[0]!]! : -Infinity;
    },

    /** Computes the scores of the tile that begins at key `start`. Returns the number of keys, or 0 if the tile is skipped. */
    computeScores(start: number): number {
      const { batch, head } = at;
      const column = start / keyTile;
      const tile = tileIndex(plan, batch, head, Math.floor(t / queryTile), column);
      if (plan.classes[tile] === 0 && !everyTile) return 0;
      const length = Math.min(keyTile, S - start);
      at.firstKey = start;
      at.length = length;
      seenKeys(plan, batch, head, t, column, seen.subarray(0, length));
      for (let n = 0; n < length; n++) {
        dots[n] = everyDot || seen[n] ? scale * keys.dot(query, 0, 1, start + n, D) : 0;
      }
      if (softcap > 0) for (let n = 0; n < length; n++) capped[n] = softcap * Math.tanh(dots[n]! / softcap);
      const modified = scoreMod ? scoreMod.forward(from(capped)) : capped;
      for (let n = 0; n < length; n++) scores[n] = seen[n] ? modified[n]! : -Infinity;
      return length;
    },

    /** Computes the weights from the scores of the current tile and the log-sum-exp. Returns the weights after weightMod. */
    computeWeights(logSum: number): Float64Array {
      for (let n = 0; n < at.length; n++) {
        weights[n] = scores[n] === -Infinity ? 0 : Math.exp(scores[n]! - logSum);
      }
      return weightMod ? weightMod.forward(from(weights)) : weights;
    },
  };
}
