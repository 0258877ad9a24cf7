import { checks, ShapeError } from "@qkv/core";
import type { Extent, Mask } from "@qkv/attention-contract";
import {
  checkTensor,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  ones,
  repeat,
  reshape,
  scatter,
  slice,
  where,
  zeros,
  type Tensor,
  type TypedArray,
} from "@qkv/tensor";
import { defineMask, firstQuery } from "../mask.js";

/**
 * A mask made of chosen keys: each query sees those whose indices are listed for it, in any order. Choices of blocks are
 * made of it with a `blockSize`. Combine it with `causal()`; a choice may name keys that come later.
 *
 * @param indices - int32, `[B, T, k]` for all heads, or `[B, Hkv, T, k]` for groups of neighbouring heads; −1 chooses
 *   nothing. Rows are the queries of the call.
 * @param blockSize - Consecutive keys that one index stands for. Unit: tokens. Default 1.
 * @throws {ShapeError} If there are other axes, or the call has other queries or heads. {@link ArgumentError} If the
 *   indices are not int32.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { attentionWeights, selectedKeys } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * const indices = tensor([[[1, -1], [0, 1]]], { dtype: "int32" }); // [B, T, k]
 * attentionWeights(x, x, { mask: selectedKeys(indices) }).toNested(); // => [[[[0, 1], [0.5, 0.5]]]]
 * ```
 */
export function selectedKeys(indices: Tensor, blockSize = 1): Mask {
  const check = checks("selectedKeys");
  const { shape, dtype } = checkTensor("selectedKeys", "indices", indices);
  const fix = "give the indices of keys for each query, filled up with −1.";
  check.each({ indices: dtype }, () => dtype === "int32", "of type int32", 'use `cast(indices, "int32")`.');
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  const wrongShape = (expected: string) =>
    check.refuse({ argument: "indices", received: shape, expected, fix }, ShapeError);
  if (shape.length !== 3 && shape.length !== 4) wrongShape("[B, T, k] or [B, Hkv, T, k]");
  const [B, groups, T, k] = (shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape) as [
    number,
    number,
    number,
    number,
  ];
  const parts = {
    name: `selectedKeys([${shape.join(", ")}]${blockSize === 1 ? "" : `, ${blockSize}`})`,
    perBatch: B > 1,
    perHead: groups > 1,
  };
  const checkCall = ({ queryLength, batches = B, heads = groups }: Extent): void => {
    if (queryLength !== T || (B !== 1 && batches !== B) || heads % groups !== 0)
      wrongShape(`indices for B = ${batches} batches, H = ${heads} heads and T = ${queryLength} queries`);
  };
  const rowsOf = (data: TypedArray) =>
    Array.from({ length: B * groups * T }, (_, row) => new Set(data.slice(row * k, row * k + k)));
  const ruleOf = (chosen: readonly ReadonlySet<number | bigint>[], extent: Extent) => {
    checkCall(extent);
    const { heads = groups } = extent;
    const first = firstQuery(extent);
    return {
      sees(query: number, key: number, batch: number, head: number): boolean {
        const group = Math.floor((head * groups) / heads);
        const row = ((B > 1 ? batch : 0) * groups + group) * T + query - first;
        return chosen[row]!.has(Math.floor(key / blockSize));
      },
    };
  };
  if (indices.device.isPending?.(indices.storage)) {
    const visible = (extent: Required<Extent>) => {
      checkCall(extent);
      const { keyLength, heads } = extent;
      const perGroup = chosenKeys(reshape(indices, [B, groups, T, k]), blockSize, keyLength);
      return groups === 1 ? perGroup : repeat(perGroup, heads / groups, 1);
    };
    return defineMask({
      ...parts,
      bind: (extent) => ruleOf(rowsOf(indices.data), extent),
      pending: { visible: [visible] },
    });
  }
  const chosen = rowsOf(indices.data);
  return defineMask({ ...parts, bind: (extent) => ruleOf(chosen, extent) });
}

/** Converts selected indices `[B, groups, T, k]` to a bool tensor `[B, groups, T, S]`. */
function chosenKeys(indices: Tensor, blockSize: number, S: number): Tensor {
  const { shape, device } = indices;
  const blocks = Math.ceil(S / blockSize);
  // −1, and indices beyond the keys, go to an additional column, which is removed.
  const isBlock = logicalAnd(greaterEqual(indices, 0), less(indices, blocks));
  const columns = zeros([...shape.slice(0, -1), blocks + 1], { device });
  const written = scatter(columns, -1, where(isBlock, indices, blocks), ones(shape, { device }));
  const chosen = greater(slice(written, -1, 0, blocks), 0);
  return slice(repeat(chosen, blockSize, -1), -1, 0, S);
}
