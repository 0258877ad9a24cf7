import { causalConv } from "@qkv/tensor";
import { defineOperator } from "../operator.js";

/** CausalConvWithState: a depthwise convolution along the last axis, after `K - 1` past inputs or zeros. */
export const causalConvWithStateOperator = defineOperator({
  name: "CausalConvWithState",
  inputs: ["input", "weight"],
  optionalInputs: ["bias", "past_state"],
  attributes: { activation: "none" as "none" | "silu" | "swish" },
  run({ inputs: { input, weight, bias, past_state: state }, attributes: { activation } }) {
    const options = { ...(bias && { bias }), ...(state && { state }), activation };
    const result = causalConv(input, weight, options);
    return [result.output, result.state];
  },
});
