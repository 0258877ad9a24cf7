import { isPacked, refuseShape } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { takeOp } from "./take.js";

/**
 * Looks up the rows of an embedding table by token id.
 *
 * @param table - `[V, C]`. Rows of a table of float16 or bfloat16 are widened to float32.
 * @param ids - int32 of any shape `[…]`
 * @returns `[…, C]`
 *
 * @example
 * ```ts
 * import { embedding, tensor } from "@qkv/tensor";
 *
 * embedding(tensor([[1, 2], [3, 4]]), tensor([1, 1], { dtype: "int32" })).toNested(); // => [[3, 4], [3, 4]]
 * ```
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (checkTensor("embedding", "table", table).shape.length !== 2) {
    refuseShape(
      "embedding",
      "table",
      table.shape,
      "[V, C]: a row for each token",
      "reshape the table to one row for each token.",
    );
  }
  const rows = run(takeOp, [table, checkTensor("embedding", "ids", ids)], { axis: 0 });
  return isPacked(rows.dtype) ? cast(rows, "float32") : rows;
}
