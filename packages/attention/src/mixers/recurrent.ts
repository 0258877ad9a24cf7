import { add, concat, exp, matmul, mul, sub, transpose } from "@qkv/tensor";
import { checkSteps } from "./check-steps.js";
import { multipliedOut, type Scan } from "./scan.js";
import { unstack } from "./unstack.js";

/**
 * Runs a mixer token by token: the specification that the other forms equal. Costs 4 · K · V operations per token and
 * head, 6 where something is erased, and holds one state; matrices are too small for a processor to be fast.
 *
 * @see "Linear Transformers Are Secretly Fast Weight Programmers" (2021), arXiv:2102.11174
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { linearAttention, mix, recurrent } from "@qkv/attention";
 *
 * const x = randn([1, 2, 5, 4], { seed: 1 }); // [B, H, T, D]
 * const { state } = mix(linearAttention(), { query: x, key: x, value: x }, { form: recurrent });
 * state.shape; // => [1, 2, 4, 4]
 * ```
 */
export const recurrent: Scan = (steps, initial) => {
  const plain = multipliedOut(checkSteps("recurrent", steps, initial));
  const { query, key, value, decay, erase, reads = "after" } = plain;
  const [queries, keys, values] = [query, key, value].map((x) => unstack(x, 2)) as [Rows, Rows, Rows];
  const decays = decay && unstack(decay, 2);
  const erases = erase && unstack(erase, 2);
  let state = initial; // [B, H, K, V]
  const outputs = queries.map((q, t) => {
    const before = state;
    const written = erases ? sub(values[t]!, matmul(erases[t]!, before)) : values[t]!; // [B, H, 1, V]
    const decayed = decays ? mul(before, exp(transpose(decays[t]!))) : before;
    state = add(decayed, matmul(transpose(keys[t]!), written));
    return matmul(q, reads === "before" ? before : state);
  });
  return { output: concat(outputs, 2), state };
};

type Rows = ReturnType<typeof unstack>;
