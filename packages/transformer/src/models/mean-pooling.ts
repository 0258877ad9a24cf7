import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  cast,
  checkTensor,
  div,
  expandDims,
  maximum,
  mul,
  norm as lengthOf,
  sum,
  type Tensor,
} from "@qkv/tensor";

/**
 * Mean pooling: the mean of the rows of each sequence, without padding.
 *
 * @param rows - `[B, T, C]`
 * @param attentionMask - `[B, T]`: 1 or true for tokens, 0 or false for padding. Default: all are tokens.
 * @returns `[B, C]`; zeros for a sequence without tokens.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { meanPooling } from "@qkv/transformer";
 *
 * const rows = tensor([[[1, 2], [3, 4], [9, 9]]]);
 * meanPooling(rows, tensor([[true, true, false]])).toNested(); // => [[2, 3]]
 * ```
 */
export function meanPooling(rows: Tensor, attentionMask?: Tensor): Tensor {
  const { shape, dtype } = checkTensor("meanPooling", "rows", rows);
  const check: Checks = checks("meanPooling");
  if (shape.length !== 3) {
    const fix = "give the rows of a batch, as an encoder's `apply` returns them.";
    check.refuse({ argument: "rows", received: shape, expected: "[B, T, C]", fix }, ShapeError);
  }
  if (attentionMask !== undefined) checkTensor("meanPooling", "attentionMask", attentionMask);
  if (!attentionMask) return div(sum(rows, { axis: 1 }), Math.max(1, shape[1]!));
  if (
    attentionMask.shape.length !== 2 ||
    attentionMask.shape[0] !== shape[0] ||
    attentionMask.shape[1] !== shape[1]
  ) {
    check.refuse(
      {
        argument: "attentionMask",
        received: attentionMask.shape,
        expected: `[${shape[0]}, ${shape[1]}], as rows are [${shape.join(", ")}]`,
        fix: "give 1 for each token, and 0 for padding.",
      },
      ShapeError,
    );
  }
  const weights = expandDims(cast(attentionMask, dtype), 2); // [B, T, 1]
  return div(sum(mul(rows, weights), { axis: 1 }), maximum(sum(weights, { axis: 1 }), 1));
}

/**
 * Scales vectors to norm 1, so their dot products are cosines.
 *
 * @param x - `[…, C]`
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { unitLength } from "@qkv/transformer";
 *
 * unitLength(tensor([[3, 4]])).toNested(); // => [[0.6000000238418579, 0.800000011920929]]
 * ```
 */
export function unitLength(x: Tensor): Tensor {
  checkTensor("unitLength", "x", x);
  return div(x, maximum(lengthOf(x, { axis: -1, keepDims: true }), 1e-12));
}
