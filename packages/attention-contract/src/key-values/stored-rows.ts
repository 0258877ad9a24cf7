import type { TypedArray } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { BlockLayout } from "../attention-request.js";

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
