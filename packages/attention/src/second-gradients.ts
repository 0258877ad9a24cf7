import { type AttentionCall, callSizes, keyPositions, mapCall } from "@qkv/attention-contract";
import { checks } from "@qkv/core";
import { greater, runNamed, stopGradient, type Tensor, vjp, withBackward, zerosLike } from "@qkv/tensor";
import { attentionOp } from "./attention-op.js";
import { plainStages } from "./plain-attention.js";

/**
 * Runs `f` with gradients of {@link attention} that are differentiable themselves, since they are composed of tensor operations. Layers,
 * models and losses need no change. For Hessian-vector products, `jvp` and gradient penalties. Each gradient stores all scores,
 * `[B, H, T, S]`.
 *
 * @param f - Function that computes the gradients. It must be synchronous.
 *
 * @example
 * ```ts
 * import { grad, mul, randn, sum, type Tensor } from "@qkv/tensor";
 * import { attention, causal, secondGradients } from "@qkv/attention";
 *
 * const x = randn([1, 2, 5, 4], { seed: 1 }); // [B, H, T, D]
 * const loss = (x: Tensor) => sum(attention(x, x, x, { mask: causal() }));
 * const sharpness = (x: Tensor) => sum(mul(grad(loss)(x), grad(loss)(x)));
 * secondGradients(() => grad(sharpness)(x)).shape; // => [1, 2, 5, 4]
 * ```
 */
export function secondGradients<T>(f: () => T): T {
  checks("secondGradients").type({ f }, "function");
  return withBackward(
    {
      [attentionOp.name]({ named }, { inputs, gradients }) {
        const [call] = named![1] as [AttentionCall];
        const { value, pullback } = vjp((tensors: readonly Tensor[]) => composed(call, tensors), inputs);
        return pullback(value.map((output, i) => gradients[i] ?? zerosLike(output)));
      },
    },
    f,
  );
}

/** Computes the outputs of a call with tensor operations, from the given tensors in place of its own, in the order of the op. */
function composed(call: AttentionCall, tensors: readonly Tensor[]): Tensor[] {
  const { scores } = runNamed(attentionOp, { ...mapCall(call, stopGradient), traces: ["scores"] });
  let next = 0;
  const replacedCall = mapCall(call, () => tensors[next++]!);
  const { B, H, T, S } = callSizes(call);
  const { firstQuery, keyValues } = call;
  const extent = {
    ...{ batches: B, heads: H, queries: T, firstQuery },
    keyPositions: keyPositions(keyValues.positions, S),
  };
  const stages = plainStages(replacedCall, greater(scores!, -Infinity), extent);
  return [
    stages.output,
    stages.lse,
    ...call.traces.filter((name) => name !== "lse").map((name) => stages[name]),
  ];
}
