import { pad, expandDims, reshape } from "@qkv/tensor";
import { deltaStep } from "./delta-step.js";
import { defineMixer, type Mixer } from "./mixer.js";
import { severalSteps } from "./several-steps.js";

/**
 * DeltaProduct: the delta rule several times for each token, with a key, a value and a rate for each time, and a decay
 * before the first. The product of n reflections can do what one cannot, such as swap two values of the state.
 *
 * `key` is `[B, H, T · n, K]` with the n keys of a token side by side, `value` `[B, H, T · n, V]`, `beta` `[B, H, T · n]`,
 * from 0 to 2; `decay` `[B, H, T]`, natural logarithms, at most 0, may be left out. The query reads after the last
 * step. n is found from the shapes; with n = 1 it is the gated delta rule. Costs n · 6 · K · V operations per token and
 * head.
 *
 * @see "DeltaProduct: Improving State-Tracking in Linear RNNs via Householder Products" (2025), arXiv:2502.10297
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { deltaProduct, mix } from "@qkv/attention";
 *
 * const query = ones([1, 1, 1, 1]); // [B, H, T, K]: one token
 * const key = ones([1, 1, 2, 1]); // [B, H, T · 2, K]: two steps
 * const value = tensor([[[[8], [0]]]]);
 * const beta = tensor([[[1, 0.5]]]);
 * mix(deltaProduct(), { query, key, value, beta }).output.toNested(); // => [[[[4]]]]
 * ```
 */
export function deltaProduct(): Mixer<"query" | "key" | "value" | "beta", "decay"> {
  return defineMixer({
    name: "deltaProduct()",
    inputs: { query: "B H T K", key: "B H nT K", value: "B H nT V", beta: "B H nT" },
    optional: { decay: "B H T" },
    scaled: "reads",
    mix({ inputs: { decay, ...inputs }, state, scan }) {
      const [B, H, T] = inputs.query.shape as [number, number, number];
      const steps = inputs.key.shape[2]!;
      // The decay comes before the first step of its token.
      const spread = decay && reshape(pad(expandDims(decay, 3), 3, 0, steps / T - 1), [B, H, steps, 1]);
      return deltaStep({ ...inputs, decay: spread }, state, severalSteps(scan));
    },
  });
}
