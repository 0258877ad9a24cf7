import { linear } from "@qkv/tensor";
import { defineReferenceOp } from "../reference-op.js";

/** `torch.nn.Linear`: weights are [out, in], as in `linear`. */
export const linearModule = defineReferenceOp({
  name: "nn.Linear",
  inputs: ["x", "param.weight"],
  optionalInputs: ["param.bias"],
  attributes: { in_features: 0, out_features: 0, bias: true },
  run: ({ x, "param.weight": weight, "param.bias": bias }) => ({ output: linear(x, weight, bias) }),
});
