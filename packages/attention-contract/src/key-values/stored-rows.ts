import type { TypedArray } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { KeyValueSegment } from "./key-values.js";
import { isPaged, segmentLength } from "./segments.js";

/** The array of a segment, and its scales if the segment is quantized. */
type SegmentArrays = {
  readonly array: TypedArray;
  /** Stride from one number of a row to the next. */
  readonly step: number;
  /** Scales by which the codes are multiplied. Undefined: the segment is not quantized. */
  readonly scale: TypedArray | undefined;
  /** Stride from the scale of one number of a row to the next; 0 for one scale per row. */
  readonly scaleStep: number;
};

/** Reads rows of keys or values in place: the row of a token in one sequence and head, in whichever segment it is stored. */
export class StoredRows {
  /** Index of the segment of each row. */
  readonly segment: Uint16Array;
  /** Offset of each row in the array of its segment, and of its scale in the scales of its segment. */
  readonly offset: Int32Array;
  readonly scaleOffset: Int32Array;
  readonly arrays: readonly SegmentArrays[];

  constructor(
    private readonly segments: readonly KeyValueSegment<View>[],
    private readonly batches: number,
  ) {
    const length = segments.reduce((sum, segment) => sum + segmentLength(segment), 0);
    const scaled = segments.some((segment) => isPaged(segment) && segment.scale !== undefined);
    this.segment = new Uint16Array(length);
    this.offset = new Int32Array(length);
    this.scaleOffset = new Int32Array(scaled ? length : 0);
    this.arrays = segments.map((segment) => {
      const { array, strides } = isPaged(segment) ? segment.data : segment;
      const scale = isPaged(segment) ? segment.scale : undefined;
      const scaleStep = scale && scale.shape[3]! > 1 ? scale.strides[3]! : 0;
      return { array, step: strides[3]!, scale: scale?.array, scaleStep };
    });
  }

  /** Computes the offsets of all rows of a batch index and a key-value head. Call it before {@link dot} and {@link addTo}. */
  locate(batch: number, head: number): void {
    let s = 0;
    this.segments.forEach((segment, i) => {
      const paged = isPaged(segment) ? segment : undefined;
      const { strides, offset } = paged?.data ?? (segment as View);
      const [sb, sh, ss] = strides as [number, number, number];
      const length = segmentLength(segment);
      for (let n = 0; n < length; n++, s++) {
        this.segment[s] = i;
        if (!paged) {
          this.offset[s] = offset + batch * sb + head * sh + n * ss;
          continue;
        }
        const { table, blockLength, scale } = paged;
        // Empty slots have no block (-1). They are never read, so any valid offset will do.
        const column = Math.floor(n / blockLength);
        const block = Math.max(0, table[batch * (table.length / this.batches) + column]!);
        const indexInBlock = n % blockLength;
        this.offset[s] = offset + block * sb + head * sh + indexInBlock * ss;
        if (!scale) continue;
        const [cb, ch, cs] = scale.strides as [number, number, number];
        const row = scale.shape[2]! > 1 ? indexInBlock * cs : 0;
        this.scaleOffset[s] = scale.offset + block * cb + head * ch + row;
      }
    });
  }

  /** The dot product of row `s` and a strided vector: the `n` numbers of `a` from index `i` on with stride `step`. */
  dot(a: ArrayLike<number>, i: number, step: number, s: number, n: number): number {
    const { array: b, step: bStep, scale, scaleStep } = this.arrays[this.segment[s]!]!;
    const j = this.offset[s]!;
    let sum = 0;
    if (scale) {
      const k = this.scaleOffset[s]!;
      for (let d = 0; d < n; d++) sum += a[i + d * step]! * (b[j + d * bStep]! * scale[k + d * scaleStep]!);
    } else if (step === 1 && bStep === 1) for (let d = 0; d < n; d++) sum += a[i + d]! * b[j + d]!;
    else for (let d = 0; d < n; d++) sum += a[i + d * step]! * b[j + d * bStep]!;
    return sum;
  }

  /** Adds `weight` times row `s` to the accumulator. */
  addTo(accumulator: Float64Array, weight: number, s: number): void {
    const { array, step, scale, scaleStep } = this.arrays[this.segment[s]!]!;
    const j = this.offset[s]!;
    const n = accumulator.length;
    if (scale) {
      const k = this.scaleOffset[s]!;
      for (let d = 0; d < n; d++)
        accumulator[d]! += weight * (array[j + d * step]! * scale[k + d * scaleStep]!);
    } else if (step === 1) for (let d = 0; d < n; d++) accumulator[d]! += weight * array[j + d]!;
    else for (let d = 0; d < n; d++) accumulator[d]! += weight * array[j + d * step]!;
  }
}
