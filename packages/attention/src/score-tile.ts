import type { AttentionRequest, TraceName } from "@qkv/tensor";
import { evaluator, type Evaluator } from "@qkv/tensor/expressions";
import {
  firstQueryOf,
  keyPositions,
  type AttentionInputs,
  type sizesOf,
  type StoredRows,
} from "@qkv/tensor/key-values";
import { seenKeys } from "@qkv/tensor/tile-plan";
import { packed } from "./packed.js";

/** The traces that are made tile by tile. `lse` is an output of every call. */
export type TileTrace = Exclude<TraceName, "lse">;

/**
 * One query's scores against one tile of keys: dots, softcap, scoreMod, mask, in this order. Forward and backward
 * share it, so that what is computed again is the same to the last bit.
 */
export class ScoreTile {
  readonly dots: Float64Array;
  readonly capped: Float64Array;
  /** −∞ where the mask hides the key. */
  readonly scores: Float64Array;
  readonly visible: Uint8Array;
  readonly scoreMod: Evaluator | undefined;
  readonly #positions: readonly Int32Array[];

  constructor(
    private readonly inputs: AttentionInputs,
    private readonly keys: StoredRows,
    private readonly attributes: AttentionRequest,
    private readonly sizes: ReturnType<typeof sizesOf>,
  ) {
    const { keyTile } = attributes.plan;
    this.dots = new Float64Array(keyTile);
    this.capped = new Float64Array(keyTile);
    this.scores = new Float64Array(keyTile);
    this.visible = new Uint8Array(keyTile);
    this.#positions = keyPositions(attributes.positions, sizes.S);
    const { scoreMod } = attributes;
    this.scoreMod =
      scoreMod && evaluator(scoreMod, keyTile, inputs.tables.slice(0, scoreMod.tables.length).map(packed));
  }

  /** Where the row stands, for expressions. `score` is what they start from. */
  place(score: Float64Array, b: number, h: number, t: number, start: number, length: number) {
    const key = this.#positions[this.#positions.length > 1 ? b : 0]!;
    const query = firstQueryOf(this.attributes.firstQuery, b) + t;
    return { score, key, firstKey: start, batch: b, head: h, query, length };
  }

  /**
   * Computes `scores` for query `t` against the keys from `start` on.
   *
   * @param everyDot - Whether dots of hidden keys are computed too, for a trace that shows them.
   */
  compute(b: number, h: number, t: number, column: number, everyDot: boolean): void {
    const { plan, scale, softcap } = this.attributes;
    const { dots, capped, scores, visible, keys } = this;
    const start = column * plan.keyTile;
    const length = Math.min(plan.keyTile, this.sizes.S - start);
    seenKeys(plan, b, h, t, column, visible.subarray(0, length));
    const { array: q, strides, offset } = this.inputs.query;
    const [qb, qh, qt, qd] = strides as [number, number, number, number];
    const i = offset + b * qb + h * qh + t * qt;
    const { D } = this.sizes;
    for (let n = 0; n < length; n++) {
      dots[n] = everyDot || visible[n] ? scale * keys.dot(q, i, qd, start + n, D) : 0;
    }
    if (softcap > 0) for (let n = 0; n < length; n++) capped[n] = softcap * Math.tanh(dots[n]! / softcap);
    else for (let n = 0; n < length; n++) capped[n] = dots[n]!;
    const modified = this.scoreMod
      ? this.scoreMod.forward(this.place(capped, b, h, t, start, length))
      : capped;
    for (let n = 0; n < length; n++) scores[n] = visible[n] ? modified[n]! : -Infinity;
  }
}
