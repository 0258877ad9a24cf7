import { logSoftmax } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { alongSoftmaxAxis } from "./softmax-axis.js";

/** LogSoftmax. The meaning of its axis changed in opset 13. */
export const logSoftmaxOperator = defineOperator({
  name: "LogSoftmax",
  inputs: ["input"],
  attributes: { axis: undefined as number | undefined },
  run: ({ inputs: { input }, attributes: { axis }, opset }) => [
    alongSoftmaxAxis(input, axis, opset, logSoftmax),
  ],
});
