import {
  checkOptions,
  copyStrided,
  normalizeAxis,
  refuse,
  refuseShape,
  type Shape,
  type Strided,
} from "@qkv/core";
import type { View } from "../contracts.js";
import { checkTensor, run, type Op } from "../op.js";
import { fullLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";

type Window = { axis: number; circular: boolean };

/** Inputs: cache `[B, …, S, …]`, update `[B, …, T, …]`, and the start of each sequence of the batch, int32 `[B]`. */
export const scatterUpdateOp: Op<Window> = {
  name: "scatterUpdate",
  dataMovement: true,
  infer: ([cache]) => [{ shape: cache!.shape, dtype: cache!.dtype }],
  kernel([cache, update, starts], [out], window) {
    copyStrided(cache!, out!);
    eachSlice(out!, update!, starts!, window, (to, from) => copyStrided(from, to));
  },
  backward: ({ inputs: [cache, update, starts], gradients: [dy], attributes }) => [
    run(scatterUpdateOp, [dy!, fullLike(0, update!.shape, update!), starts!], attributes),
    run(readWindowOp, [dy!, fullLike(0, cache!.shape, cache!), starts!], {
      ...attributes,
      length: update!.shape[attributes.axis]!,
    }),
    undefined,
  ],
};

/** Reads the elements that `scatterUpdate` writes. Inputs: gradient of the output, zeros of the cache's shape, and the starts `[B]`. */
export const readWindowOp: Op<Window & { length: number }> = {
  name: "readWindow",
  dataMovement: true,
  infer: ([cache], { axis, length }) => [
    { shape: cache!.shape.map((n, a) => (a === axis ? length : n)), dtype: cache!.dtype },
  ],
  kernel([cache, , starts], [out], window) {
    eachSlice(cache!, out!, starts!, window, (from, to) => copyStrided(from, to));
  },
  backward: ({ inputs: [, empty, starts], gradients: [dy], attributes: { axis, circular } }) => [
    run(scatterUpdateOp, [empty!, dy!, starts!], { axis, circular }),
    undefined,
    undefined,
  ],
};

type Slice = Strided & Pick<View, "array">;

/** Calls `visit` with the slice of the cache and that of the update, for each batch and index along the axis. */
function eachSlice(
  cache: View,
  update: View,
  starts: View,
  { axis, circular }: Window,
  visit: (inCache: Slice, inUpdate: Slice) => void,
): void {
  const [S, T] = [cache.shape[axis]!, update.shape[axis]!];
  const slices = ({ array, shape, strides, offset }: View) => {
    const otherAxes = (list: Shape) => list.filter((_, a) => a !== 0 && a !== axis);
    const slice = { array, shape: otherAxes(shape), strides: otherAxes(strides) };
    return (b: number, t: number) => ({ ...slice, offset: offset + b * strides[0]! + t * strides[axis]! });
  };
  const [inCache, inUpdate] = [slices(cache), slices(update)];
  // In JavaScript, `%` of a negative number is negative or 0.
  const wrapped = (index: number) => ((index % S) + S) % S;
  for (let b = 0; b < cache.shape[0]!; b++) {
    const start = starts.array[starts.offset + b * starts.strides[0]!]!;
    if (!circular && (start < 0 || start + T > S)) {
      refuse(
        "scatterUpdate",
        "writeIndices",
        start,
        `a start from 0 to ${S - T}, for ${T} elements on an axis of ${S}`,
        'grow the cache first, or use the mode "circular".',
      );
    }
    for (let t = 0; t < T; t++) visit(inCache(b, circular ? wrapped(start + t) : start + t), inUpdate(b, t));
  }
}

/** Options of a cache update. */
export type ScatterUpdateOptions = {
  /** int32 `[B]`: start of each sequence of the batch, as an index of `axis`. Default: 0. */
  writeIndices?: Tensor;
  /** The axis along which to write, not the first (batch) axis. Default -2, the positions of `[B, H, S, D]`. */
  axis?: number;
  /** Beyond the end of the axis, `"circular"` continues at its beginning, and `"linear"` (default) throws. */
  mode?: "linear" | "circular";
};

/**
 * A copy of a cache with a range of one axis overwritten by an update, from a different start in each sequence of the batch.
 * For a buffer that is written in place, see `write`.
 *
 * @param cache - `[B, …, S, …]`
 * @param update - `[B, …, T, …]` of the same dtype, with T ≤ S.
 * @throws {ShapeError} If the update does not fit into the cache.
 * @throws {ArgumentError} If a linear update exceeds the end of the axis.
 * @see The operator TensorScatter of ONNX
 *
 * @example
 * ```ts
 * import { scatterUpdate, tensor, zeros } from "@qkv/tensor";
 *
 * const writeIndices = tensor([3], { dtype: "int32" });
 * const options = { writeIndices, axis: 1, mode: "circular" } as const;
 * scatterUpdate(zeros([1, 4]), tensor([[7, 8]]), options).toNested(); // => [[8, 0, 0, 7]]
 * ```
 */
export function scatterUpdate(cache: Tensor, update: Tensor, options?: ScatterUpdateOptions): Tensor {
  const {
    writeIndices,
    axis = -2,
    mode = "linear",
  } = checkOptions("scatterUpdate", options, ["writeIndices", "axis", "mode"]);
  const { shape, dtype } = checkTensor("scatterUpdate", "cache", cache);
  const at = normalizeAxis("scatterUpdate", axis, shape.length);
  if (at === 0 || (mode !== "linear" && mode !== "circular")) {
    refuse(
      "scatterUpdate",
      at === 0 ? "axis" : "mode",
      at === 0 ? axis : mode,
      at === 0 ? "an axis after the first, which is the batch" : '"linear" or "circular"',
      at === 0 ? "give the cache a batch axis of 1 at the left." : "leave it out to write in order.",
    );
  }
  const fits = (length: number, a: number) => (a === at ? length <= shape[a]! : length === shape[a]);
  checkTensor("scatterUpdate", "update", update);
  if (update.dtype !== dtype || update.shape.length !== shape.length || !update.shape.every(fits)) {
    refuseShape(
      "scatterUpdate",
      "update",
      `${update.dtype} [${update.shape.join(", ")}]`,
      `${dtype} [${shape.map((n, a) => (a === at ? `at most ${n}` : n)).join(", ")}]`,
      `update and cache differ only in length, along axis ${at}.`,
    );
  }
  const starts = writeIndices ?? fullLike(0, [shape[0]!], cache, "int32");
  checkTensor("scatterUpdate", "writeIndices", starts);
  if (starts.dtype !== "int32" || starts.shape.length !== 1 || starts.shape[0] !== shape[0]) {
    refuseShape(
      "scatterUpdate",
      "writeIndices",
      `${starts.dtype} [${starts.shape.join(", ")}]`,
      `int32 [${shape[0]}], one start per batch element`,
      'make it with `tensor(starts, { dtype: "int32" })`.',
    );
  }
  return run(scatterUpdateOp, [cache, update, starts], { axis: at, circular: mode === "circular" });
}
