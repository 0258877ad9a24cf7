import { reshape, softmax } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** Softmax: over one axis since opset 13; before, over all axes from `axis` (then 1 by default) on together. */
export const softmaxOperator = defineOperator({
  name: "Softmax",
  inputs: ["input"],
  attributes: { axis: undefined as number | undefined },
  run({ inputs: { input }, attributes: { axis }, opset }) {
    if (opset >= 13) return [softmax(input, { axis: axis ?? -1 })];
    const { shape } = input;
    const rows = product(shape.slice(0, axis ?? 1));
    const flat = reshape(input, [rows, product(shape) / Math.max(rows, 1)]);
    return [reshape(softmax(flat, { axis: 1 }), shape)];
  },
});

const product = (sizes: readonly number[]): number => sizes.reduce((result, size) => result * size, 1);
