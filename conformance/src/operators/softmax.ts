import { softmax } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { alongSoftmaxAxis } from "./softmax-axis.js";

/** Softmax. The meaning of its axis changed in opset 13. */
export const softmaxOperator = defineOperator({
  name: "Softmax",
  inputs: ["input"],
  attributes: { axis: undefined as number | undefined },
  run: ({ inputs: { input }, attributes: { axis }, opset }) => [
    alongSoftmaxAxis(input, axis, opset, softmax),
  ],
});
