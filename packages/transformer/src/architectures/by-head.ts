import { reshape, slice, transpose, type Tensor } from "@qkv/tensor";
import { asFloats } from "../conversions/as-floats.js";
import { stacked } from "../conversions/row-map.js";
import { paramAt, type StoredTensor } from "./stored-tensor.js";

/** A matrix `[heads · out, in]` that a file stores per head, as `[heads, out, in]`, or transposed, as `[heads, in, out]`. */
export function byHead(
  param: string,
  name: string,
  [numHeads, out, inner]: readonly [heads: number, out: number, inner: number],
  { transposed = false } = {},
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const heads = { count: numHeads, map: stacked([out]), inner, transposed, joined: true };
      return [[at.param + param, (await weights.perExpert(at.name + name, heads))[0]!]];
    },
    write(params) {
      const x = paramAt(params, at.param + param) as Tensor;
      const heads = (first: number, end: number) =>
        reshape(asFloats(slice(x, 0, first * out, end * out)), [end - first, out, inner]);
      return [
        {
          name: at.name + name,
          shape: [numHeads, ...(transposed ? [inner, out] : [out, inner])],
          rows: transposed ? (first, end) => transpose(heads(first, end)) : heads,
        },
      ];
    },
  });
}
