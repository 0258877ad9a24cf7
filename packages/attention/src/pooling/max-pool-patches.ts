import { checks, ShapeError, sizeOf } from "@qkv/core";
import {
  broadcastTo,
  cast,
  checkTensor,
  div,
  equal,
  expandDims,
  gather,
  run,
  scatter,
  tensor,
  where,
  zeros,
  type Op,
  type Tensor,
} from "@qkv/tensor";

/** Patch index of each byte, and the number of patches. */
type Patches = { readonly ids: Int32Array; readonly numPatches: number };

/** out[b, p, c] = max of x[b, t, c] over the bytes t of patch p; 0 for a patch without bytes */
const maxPoolPatchesOp: Op<Patches> = {
  name: "maxPoolPatches",
  infer: ([x], { numPatches }) => [{ shape: [x!.shape[0]!, numPatches, x!.shape[2]!], dtype: x!.dtype }],
  kernel([x], [out], { ids, numPatches }) {
    const [B, T, C] = x!.shape as [number, number, number];
    const [db, dt, dc] = x!.strides as [number, number, number];
    for (let b = 0; b < B; b++) {
      const met = new Uint8Array(numPatches);
      for (let t = 0; t < T; t++) {
        const patch = ids[b * T + t]!;
        const to = (b * numPatches + patch) * C;
        const from = x!.offset + b * db + t * dt;
        for (let c = 0; c < C; c++) {
          const value = x!.array[from + c * dc]!;
          // NaN is propagated, as in PyTorch.
          if (!met[patch] || value > out!.array[to + c]! || value !== value) out!.array[to + c] = value;
        }
        met[patch] = 1;
      }
    }
  },
  flops: ([x]) => sizeOf(x!.shape),
  backward({ inputs: [x], outputs: [y], gradients: [dy], attributes: { ids } }) {
    const [B, T, C] = x!.shape as [number, number, number];
    const { dtype, device } = x!;
    const patch = expandDims(tensor(ids, { shape: [B, T], dtype: "int32", device }), 2);
    const indices = broadcastTo(patch, [B, T, C]);
    const largest = equal(x!, gather(y!, 1, indices));
    // Bytes that share the largest value share its gradient, as in PyTorch.
    const ties = scatter(zeros(y!.shape, { dtype, device }), 1, indices, cast(largest, dtype), {
      reduce: "add",
    });
    return [where(largest, div(gather(dy!, 1, indices), gather(ties, 1, indices)), 0)];
  },
};

/**
 * The largest value of each channel over the bytes of each patch: the first patch embeddings of BLT, which then read
 * their bytes by cross-attention under {@link patches}.
 *
 * @param x - Hidden states of bytes, `[B, bytes, C]`.
 * @param patchIds - Patch of each byte, from 0: `[bytes]` for the whole batch, or `[B][bytes]`.
 * @param numPatches - Patches of the result. Default: the largest id and one. A patch without bytes gives zeros.
 * @returns `[B, numPatches, C]`
 * @throws {ShapeError} If there is not one id for each byte. {@link ArgumentError} If an id is not below `numPatches`.
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 3.2
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { maxPoolPatches } from "@qkv/attention";
 *
 * const x = tensor([[[1, 5], [2, 4], [3, 3]]]); // [B, bytes, C]
 * maxPoolPatches(x, [0, 1, 1]).toNested(); // => [[[1, 5], [3, 4]]]
 * ```
 */
export function maxPoolPatches(
  x: Tensor,
  patchIds: ArrayLike<number> | readonly ArrayLike<number>[],
  numPatches?: number,
): Tensor {
  const check = checks("maxPoolPatches");
  const { shape } = checkTensor("maxPoolPatches", "x", x);
  const [B, T] = shape as [number, number, number];
  const fix = "give x as [B, bytes, C], and each byte the number of its patch: [0, 1, 1, 2].";
  if (shape.length !== 3)
    check.refuse({ argument: "x", received: shape, expected: "[B, bytes, C]", fix }, ShapeError);
  check.list({ patchIds }, "patches, one for each byte, or such a list per batch element", undefined, fix);
  const perBatch = typeof patchIds[0] === "object";
  const lists = Array.from({ length: B }, (_, b) =>
    perBatch ? (patchIds as readonly ArrayLike<number>[])[b] : (patchIds as ArrayLike<number>),
  );
  const ids = new Int32Array(B * T);
  let largest = -1;
  lists.forEach((list, b) => {
    const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 31;
    check.list({ [`patchIds[${b}]`]: list }, "integers, 0 or more", isId, fix);
    if (list!.length !== T) {
      const expected = `${T}, one for each byte of x`;
      check.refuse({ argument: "patchIds", received: `${list!.length} ids`, expected, fix }, ShapeError);
    }
    ids.set(Array.from(list!), b * T);
    for (const id of Array.from(list!)) largest = Math.max(largest, id);
  });
  const count = numPatches ?? largest + 1;
  check.whole({ numPatches: count }, { min: largest + 1, unit: "patches", fix: "count the patch 0 too." });
  return run(maxPoolPatchesOp, [x], { ids, numPatches: count });
}
