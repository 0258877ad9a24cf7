import { checks, FormatError } from "@qkv/core";
import { exp, neg, reshape, slice, take, tensor, type Tensor } from "@qkv/tensor";
import type { RowMap } from "../../conversions/row-map.js";
import { fileOrder, paramAt, type StoredTensor } from "../stored-tensor.js";

/**
 * A tensor that a file stores as −exp(x): decay rates of a state, whose logarithms x are the params (`A_log` of Mamba).
 * Exporting and loading changes x only by float32 rounding.
 */
export function minusExp(
  param: string,
  name: string,
  {
    stored,
    inParams,
    order: map,
  }: {
    stored: readonly number[];
    inParams: readonly number[];
    /** Row map of the file. Default: the same order. */ order?: RowMap;
  },
): StoredTensor {
  const order = map && fileOrder(map);
  return (at) => ({
    async read(weights) {
      const fix = "the file is damaged, or of another architecture; fetch it again.";
      const check = checks(weights.fn, { source: weights.name, fix }, FormatError);
      const map = (rate: number) =>
        rate <= 0
          ? Math.log(-rate)
          : check.refuse({ argument: at.name + name, received: rate, expected: "rates of decay, at most 0" });
      const x = reshape(await weights.tensor(at.name + name, stored, { map }), inParams);
      return [[at.param + param, order ? take(x, 0, inverse(order, x)) : x]];
    },
    write(params) {
      const logRates = reshape(paramAt(params, at.param + param) as Tensor, stored);
      const x = order ? take(logRates, 0, tensor(order, { device: logRates.device })) : logRates;
      return [
        { name: at.name + name, shape: stored, rows: (first, end) => neg(exp(slice(x, 0, first, end))) },
      ];
    },
  });
}

/** For each row of the params, its index in the file. */
function inverse(order: Int32Array, { device }: Tensor): Tensor {
  const inverseOrder = new Int32Array(order.length);
  order.forEach((paramRow, row) => (inverseOrder[paramRow] = row));
  return tensor(inverseOrder, { device });
}
