import { checkDType, checks, type DType, encodeNumbers } from "@qkv/core";
import type { Device } from "../contracts.js";
import { createTensor, creationOptions } from "../create.js";
import type { Tensor } from "../tensor.js";

/**
 * The identity matrix: ones on the diagonal, zeros elsewhere.
 *
 * @param rows - 0 or more.
 * @param options - `columns`: default as many as rows. `dtype`: default float32.
 *
 * @example
 * ```ts
 * import { eye } from "@qkv/tensor";
 *
 * eye(2, { columns: 3 }).toNested(); // => [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export function eye(rows: number, options?: { columns?: number; dtype?: DType; device?: Device }): Tensor {
  const { columns = rows, dtype = "float32", device } = creationOptions("eye", options, "columns");
  checks("eye").whole({ rows, columns }, { min: 0 });
  const [one] = encodeNumbers("eye", [1], checkDType("eye", dtype));
  return createTensor("eye", dtype, [rows, columns], device, (array) => {
    array.fill(0);
    for (let i = 0; i < Math.min(rows, columns); i++) array[i * columns + i] = one!;
  });
}
