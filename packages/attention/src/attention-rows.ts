import type { AttentionRequest, BlockLayout, KeyValues, TraceName, TypedArray, View } from "@qkv/tensor";
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
  /** How key parts lie, and then value parts; and the scale of each that has one. */
  readonly layouts: readonly (BlockLayout | undefined)[];
  readonly scales: readonly (View | undefined)[];
};

/** Sorts the inputs of one call. */
export function sortInputs<T>(inputs: readonly T[], attributes: AttentionAttributes) {
  const { parts, scoreMod, weightMod, hasSinks } = attributes;
  const tables = 1 + 2 * parts;
  const sinks = tables + (scoreMod?.tables.length ?? 0) + (weightMod?.tables.length ?? 0);
  const layouts = attributes.layouts ?? new Array<undefined>(2 * parts).fill(undefined);
  let scale = sinks + (hasSinks ? 1 : 0);
  return {
    query: inputs[0]!,
    keys: inputs.slice(1, 1 + parts),
    values: inputs.slice(1 + parts, tables),
    tables: inputs.slice(tables, sinks),
    sinks: hasSinks ? inputs[sinks] : undefined,
    layouts,
    scales: layouts.map((layout) => (layout?.scaled ? inputs[scale++] : undefined)),
  };
}

/** The sizes of one call. */
export function sizesOf({ query, keys, values, layouts }: Inputs) {
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const Hkv = keys[0]!.shape[1]!;
  const S = keys.reduce((sum, { shape }, i) => sum + (layouts[i]?.length ?? shape[2]!), 0);
  return { B, H, Hkv, T, S, D, Dv: values[0]!.shape[3]!, group: H / Hkv };
}

/** One row of keys or values: where it begins in its part's array, and what its numbers are multiplied with. */
type StoredPart = {
  readonly array: TypedArray;
  /** From one number of a row to the next. */
  readonly step: number;
  /** Undefined: as they are. */
  readonly scale: TypedArray | undefined;
  readonly scaleStep: number;
};

/** Where the rows of keys or values of one batch and head lie, over all parts. They are read in place. */
export class StoredRows {
  /** The part of each row. */
  readonly part: Uint16Array;
  /** Where each row begins in its part's array, and its scale in its part's scales. */
  readonly offset: Int32Array;
  readonly scaleOffset: Int32Array;
  readonly parts: readonly StoredPart[];

  constructor(
    private readonly views: readonly View[],
    private readonly layouts: readonly (BlockLayout | undefined)[],
    private readonly scales: readonly (View | undefined)[],
    private readonly batches: number,
    length: number,
  ) {
    this.part = new Uint16Array(length);
    this.offset = new Int32Array(length);
    this.scaleOffset = new Int32Array(scales.some((scale) => scale !== undefined) ? length : 0);
    this.parts = views.map(({ array, strides }, i) => {
      const scale = scales[i];
      const scaleStep = scale && scale.shape[3]! > 1 ? scale.strides[3]! : 0;
      return { array, step: strides[3]!, scale: scale?.array, scaleStep };
    });
  }

  locate(batch: number, head: number): void {
    let s = 0;
    this.views.forEach(({ shape, strides, offset }, part) => {
      const [sb, sh, ss] = strides as [number, number, number];
      const layout = this.layouts[part];
      const scale = this.scales[part];
      const length = layout?.length ?? shape[2]!;
      for (let n = 0; n < length; n++, s++) {
        this.part[s] = part;
        if (!layout) {
          this.offset[s] = offset + batch * sb + head * sh + n * ss;
          continue;
        }
        const { table, blockLength } = layout;
        // A place that holds nothing has no block, and is never read.
        const column = Math.floor(n / blockLength);
        const block = Math.max(0, table[batch * (table.length / this.batches) + column]!);
        const within = n % blockLength;
        this.offset[s] = offset + block * sb + head * sh + within * ss;
        if (!scale) continue;
        const [cb, ch, cs] = scale.strides as [number, number, number];
        const row = scale.shape[2]! > 1 ? within * cs : 0;
        this.scaleOffset[s] = scale.offset + block * cb + head * ch + row;
      }
    });
  }

  /** The dot product of row `s` and `n` numbers of `a`, from `i` on, `step` apart. */
  dot(a: ArrayLike<number>, i: number, step: number, s: number, n: number): number {
    const { array: b, step: to, scale, scaleStep } = this.parts[this.part[s]!]!;
    const j = this.offset[s]!;
    let sum = 0;
    if (scale) {
      const k = this.scaleOffset[s]!;
      for (let d = 0; d < n; d++) sum += a[i + d * step]! * (b[j + d * to]! * scale[k + d * scaleStep]!);
    } else if (step === 1 && to === 1) for (let d = 0; d < n; d++) sum += a[i + d]! * b[j + d]!;
    else for (let d = 0; d < n; d++) sum += a[i + d * step]! * b[j + d * to]!;
    return sum;
  }

  /** mixture += weight · row s */
  addTo(mixture: Float64Array, weight: number, s: number): void {
    const { array, step, scale, scaleStep } = this.parts[this.part[s]!]!;
    const j = this.offset[s]!;
    const n = mixture.length;
    if (scale) {
      const k = this.scaleOffset[s]!;
      for (let d = 0; d < n; d++) mixture[d]! += weight * (array[j + d * step]! * scale[k + d * scaleStep]!);
    } else if (step === 1) for (let d = 0; d < n; d++) mixture[d]! += weight * array[j + d]!;
    else for (let d = 0; d < n; d++) mixture[d]! += weight * array[j + d * step]!;
  }
}

/** The rows of all keys, and of all values, of one call. */
export function storedRows(inputs: Inputs): { keys: StoredRows; values: StoredRows } {
  const { keys, values, layouts, scales } = inputs;
  const { B, S } = sizesOf(inputs);
  const n = keys.length;
  return {
    keys: new StoredRows(keys, layouts.slice(0, n), scales.slice(0, n), B, S),
    values: new StoredRows(values, layouts.slice(n), scales.slice(n), B, S),
  };
}

/** Positions of the stored keys: one list for all batches, or one each. */
export function keyPositions(positions: KeyValues["positions"], S: number): Int32Array[] {
  if ("start" in positions) return [Int32Array.from({ length: S }, (_, s) => positions.start + s)];
  if (positions.length === S) return [positions];
  return Array.from({ length: positions.length / S }, (_, b) => positions.subarray(b * S, (b + 1) * S));
}

/** The position of a batch's first query. */
export function firstQueryOf(firstQuery: number | Int32Array, batch: number): number {
  return typeof firstQuery === "number" ? firstQuery : firstQuery[batch]!;
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
    this.#see(b, h, t, column, length);
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
