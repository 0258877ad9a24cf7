import type { AttentionRequest, KeyValues, TraceName, TypedArray, View } from "@qkv/tensor";
import { evaluator, type Evaluator } from "@qkv/tensor/expressions";
import { tileIndex } from "./tile-plan.js";

/** What one call of attention is, besides its tensors. */
export type AttentionAttributes = AttentionRequest;

/** The traces that are made tile by tile. `lse` is an output of every call. */
export type TileTrace = Exclude<TraceName, "lse">;

/** The inputs of attention, told apart: query, key parts, value parts, looked-up tables, sinks. */
export type Inputs = {
  readonly query: View;
  readonly keys: readonly View[];
  readonly values: readonly View[];
  /** The tables of scoreMod, then those of weightMod. */
  readonly tables: readonly View[];
  readonly sinks: View | undefined;
};

/** Sorts the inputs of one call. */
export function sortInputs<T>(inputs: readonly T[], attributes: AttentionAttributes) {
  const { parts, scoreMod, weightMod, hasSinks } = attributes;
  const tables = 1 + 2 * parts;
  const sinks = tables + (scoreMod?.tables.length ?? 0) + (weightMod?.tables.length ?? 0);
  return {
    query: inputs[0]!,
    keys: inputs.slice(1, 1 + parts),
    values: inputs.slice(1 + parts, tables),
    tables: inputs.slice(tables, sinks),
    sinks: hasSinks ? inputs[sinks] : undefined,
  };
}

/** The sizes of one call. */
export function sizesOf({ query, keys, values }: Inputs) {
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const Hkv = keys[0]!.shape[1]!;
  const S = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
  return { B, H, Hkv, T, S, D, Dv: values[0]!.shape[3]!, group: H / Hkv };
}

/** Where the rows of keys or values of one batch and head lie, over all parts. */
export class StoredRows {
  /** The part of each row. */
  readonly part: Uint16Array;
  /** Where each row begins in its part's array. */
  readonly offset: Int32Array;
  readonly arrays: readonly TypedArray[];
  /** From one number of a row to the next, per part. */
  readonly step: readonly number[];

  constructor(
    private readonly views: readonly View[],
    length: number,
  ) {
    this.part = new Uint16Array(length);
    this.offset = new Int32Array(length);
    this.arrays = views.map(({ array }) => array);
    this.step = views.map(({ strides }) => strides[3]!);
  }

  locate(batch: number, head: number): void {
    let s = 0;
    this.views.forEach(({ shape, strides, offset }, part) => {
      const [sb, sh, ss] = strides as [number, number, number];
      for (let n = 0; n < shape[2]!; n++, s++) {
        this.part[s] = part;
        this.offset[s] = offset + batch * sb + head * sh + n * ss;
      }
    });
  }
}

/** Positions of the stored keys: one list for all batches, or one each. */
export function keyPositions(positions: KeyValues["positions"], S: number): Int32Array[] {
  if ("start" in positions) return [Int32Array.from({ length: S }, (_, s) => positions.start + s)];
  if (positions.length === S) return [positions];
  return Array.from({ length: positions.length / S }, (_, b) => positions.subarray(b * S, (b + 1) * S));
}

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
    private readonly inputs: Inputs,
    private readonly keys: StoredRows,
    private readonly attributes: AttentionAttributes,
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
    return { score, key, firstKey: start, batch: b, head: h, query: this.attributes.firstQuery + t, length };
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
    this.#see(b, h, t, column, length);
    const { array: q, strides, offset } = this.inputs.query;
    const [qb, qh, qt, qd] = strides as [number, number, number, number];
    const i = offset + b * qb + h * qh + t * qt;
    const { D } = this.sizes;
    for (let n = 0; n < length; n++) {
      const part = keys.part[start + n]!;
      const j = keys.offset[start + n]!;
      dots[n] =
        everyDot || visible[n] ? scale * dot(q, i, qd, keys.arrays[part]!, j, keys.step[part]!, D) : 0;
    }
    if (softcap > 0) for (let n = 0; n < length; n++) capped[n] = softcap * Math.tanh(dots[n]! / softcap);
    else for (let n = 0; n < length; n++) capped[n] = dots[n]!;
    const modified = this.scoreMod
      ? this.scoreMod.forward(this.place(capped, b, h, t, start, length))
      : capped;
    for (let n = 0; n < length; n++) scores[n] = visible[n] ? modified[n]! : -Infinity;
  }

  #see(b: number, h: number, t: number, column: number, length: number): void {
    const { plan } = this.attributes;
    const row = Math.floor(t / plan.queryTile);
    const tile = tileIndex(plan, b, h, row, column);
    const whole = plan.classes[tile]!;
    if (whole !== 1) {
      this.visible.fill(whole === 2 ? 1 : 0, 0, length);
      return;
    }
    const words = plan.keyTile / 32;
    const at = plan.bitsAt[tile]! + (t - row * plan.queryTile) * words;
    for (let n = 0; n < length; n++) this.visible[n] = (plan.bits[at + (n >>> 5)]! >>> (n & 31)) & 1;
  }
}

/** The numbers of a view in row-major order; in place where they lie so. */
export function packed({ array, shape, strides, offset }: View): ArrayLike<number> {
  const size = shape.reduce((a, b) => a * b, 1);
  let expected = 1;
  const contiguous = shape.every((_, i) => {
    const axis = shape.length - 1 - i;
    const fits = shape[axis] === 1 || strides[axis] === expected;
    expected *= shape[axis]!;
    return fits;
  });
  if (contiguous) return array.subarray(offset, offset + size);
  return Float64Array.from({ length: size }, (_, n) => {
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (n % shape[axis]!) * strides[axis]!;
      n = Math.floor(n / shape[axis]!);
    }
    return array[at]!;
  });
}

function dot(a: TypedArray, i: number, di: number, b: TypedArray, j: number, dj: number, n: number): number {
  let sum = 0;
  if (di === 1 && dj === 1) for (let d = 0; d < n; d++) sum += a[i + d]! * b[j + d]!;
  else for (let d = 0; d < n; d++) sum += a[i + d * di]! * b[j + d * dj]!;
  return sum;
}
