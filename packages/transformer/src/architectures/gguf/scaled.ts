import { mul, slice, type Tensor } from "@qkv/tensor";
import { asFloats } from "../../conversions/as-floats.js";
import { paramAt, stored, type StoredTensor } from "../stored-tensor.js";

/**
 * An embedding matrix or other matrix into which a scale of the model is folded on export. The loaded model does not have the scale.
 */
export const scaled =
  (
    param: string,
    name: string,
    shape: readonly number[],
    { kind, factor }: { kind: "matrix" | "table"; factor: number },
  ): StoredTensor =>
  (at) => {
    const plain = stored(param, name, shape, kind)(at);
    const write = (params: object) => {
      const x = paramAt(params, at.param + param) as Tensor;
      const rows = (first: number, end: number) => mul(asFloats(slice(x, 0, first, end)), factor);
      return [{ name: at.name + name, shape, rows }];
    };
    return factor === 1 ? plain : { read: plain.read, write };
  };
