import { checks, ShapeError, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { checkParams } from "../layers/check-params.js";
import { checkTensor, take, tensor, transpose, type Tensor } from "@qkv/tensor";

/**
 * Maps each row of a stored matrix to a part and a row of that part. Several
 * parts are matrices that the checkpoint stores fused into one.
 */
export type RowMap = {
  /** Number of rows of each part. */
  readonly sizes: readonly number[];
  /** The part of a stored row, and its row there. */
  to(row: number): readonly [part: number, row: number];
};

/**
 * Parts stacked one after the other, as in the fused query, key and value of GPT-2 and Phi-3, Phi-3's gate and up
 * projections, and PyTorch's `in_proj_weight`.
 *
 * @param sizes - Rows of each part, in order.
 *
 * @example
 * ```ts
 * import { stacked } from "@qkv/transformer";
 *
 * stacked([4, 2, 2]).to(5); // => [1, 1]
 * ```
 */
export function stacked(sizes: readonly number[]): RowMap {
  const isSizes = (value: unknown) =>
    Array.isArray(value) && value.every((size) => Number.isInteger(size) && size > 0);
  checks("stacked").each({ sizes }, isSizes, "a list of numbers of rows, each 1 or more");
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  return {
    sizes,
    to(row) {
      let part = sizes.length - 1;
      while (part > 0 && row < starts[part]!) part -= 1;
      return [part, row - starts[part]!];
    },
  };
}

/**
 * The queries of one key-value head, its key and its value, followed by those of the next, as in GPT-NeoX, BLOOM, Falcon
 * and BigCode models.
 *
 * @param options - `numKvHeads`: each serves `numHeads / numKvHeads` neighbouring heads. Default: `numHeads`.
 *
 * @example
 * ```ts
 * import { fusedPerHead } from "@qkv/transformer";
 *
 * const map = fusedPerHead({ numHeads: 2, headDim: 4 });
 * map.sizes; // => [8, 8, 8]
 * map.to(12 + 5); // => [1, 5]
 * fusedPerHead({ numHeads: 4, numKvHeads: 2, headDim: 4 }).to(16 + 5); // => [0, 13]
 * ```
 */
export function fusedPerHead(options: { numHeads: number; headDim: number; numKvHeads?: number }): RowMap {
  const check: Checks = checks("fusedPerHead");
  const { numHeads, headDim: D, ...more } = check.options(options, ["numHeads", "headDim", "numKvHeads"]);
  const { numKvHeads = numHeads } = more;
  check.whole({ numHeads, numKvHeads, headDim: D }, { min: 1 });
  const fix = "each key-value head serves the same number of heads.";
  check.each({ numKvHeads }, () => numHeads % numKvHeads === 0, `a divisor of numHeads = ${numHeads}`, fix);
  const queries = (numHeads / numKvHeads) * D;
  return {
    sizes: [numHeads * D, numKvHeads * D, numKvHeads * D],
    to(row) {
      const [group, at] = [Math.floor(row / (queries + 2 * D)), row % (queries + 2 * D)];
      if (at < queries) return [0, group * queries + at];
      return at < queries + D ? [1, group * D + at - queries] : [2, group * D + at - queries - D];
    },
  };
}

/** Parts of equal size whose rows alternate, as in the gate and up projections of gpt-oss. */
export const alternating = (parts: number, size: number): RowMap => ({
  sizes: new Array<number>(parts).fill(size),
  to: (row) => [row % parts, Math.floor(row / parts)],
});

/**
 * Splits a fused projection, weight and bias, into its parts.
 *
 * @param fused - Weight `[out, in]`, bias `[out]`.
 * @param map - `stacked(sizes)`, `fusedPerHead(…)`, or a custom map.
 * @throws {ShapeError} If the parts do not make up the rows.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { splitFused, stacked } from "@qkv/transformer";
 *
 * const [query, key, value] = splitFused({ weight: randn([8, 4], { seed: 1 }) }, stacked([4, 2, 2]));
 * [query, key, value].map((part) => part?.weight.shape); // => [[4, 4], [2, 4], [2, 4]]
 * ```
 */
export function splitFused(fused: LinearParams, map: RowMap): LinearParams[] {
  const check: Checks = checks("splitFused");
  checkParams(check, fused, ["weight"]);
  const isMap = (value: unknown) => typeof (value as RowMap | undefined | null)?.to === "function";
  check.each(
    { map },
    isMap,
    "a map of rows",
    "write `stacked([C, C, C])` or `fusedPerHead({ numHeads, headDim })`.",
  );
  const rowCount = checkTensor("splitFused", "weight", fused.weight).shape[0];
  const total = map.sizes.reduce((a, b) => a + b, 0);
  if (rowCount !== total) {
    check.refuse(
      {
        argument: "weight",
        received: fused.weight.shape,
        expected: `[${total}, in], as the parts have ${map.sizes.join(", ")} rows`,
        fix: "count the rows of each part: heads times their size.",
      },
      ShapeError,
    );
  }
  const storedRows = map.sizes.map((size) => new Int32Array(size));
  for (let row = 0; row < total; row++) {
    const [part, to] = map.to(row);
    storedRows[part]![to] = row;
  }
  return storedRows.map((rows) => {
    const selectRows = (x: Tensor) => take(x, 0, tensor(rows, { device: x.device }));
    return { weight: selectRows(fused.weight), ...(fused.bias && { bias: selectRows(fused.bias) }) };
  });
}

/**
 * Converts a linear layer stored as `[in, out]`, as in GPT-2's `Conv1D`. The result is a view, not a copy.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { fromConv1D } from "@qkv/transformer";
 *
 * fromConv1D({ weight: zeros([4, 12]) }).weight.shape; // => [12, 4]
 * ```
 */
export function fromConv1D(params: LinearParams): LinearParams {
  const check: Checks = checks("fromConv1D");
  checkParams(check, params, ["weight"]);
  const { weight, bias } = params;
  if (checkTensor("fromConv1D", "weight", weight).shape.length !== 2) {
    const fix = "give the matrix as the checkpoint stores it.";
    check.refuse(
      {
        argument: "weight",
        received: weight.shape,
        expected: "[in, out]",
        fix,
      },
      ShapeError,
    );
  }
  return { weight: transpose(weight), ...(bias && { bias }) };
}
