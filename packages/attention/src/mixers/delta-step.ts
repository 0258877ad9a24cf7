import { permute, repeat, reshape, type Tensor } from "@qkv/tensor";
import { channelsAsHeads, headsAsChannels } from "./channels-as-heads.js";
import type { FactoredScan, Scanned } from "./scan.js";

/** `beta`: `[B, H, T, 1]`, or `[B, H, T, V]` for each value channel. */
type DeltaInputs = { query: Tensor; key: Tensor; value: Tensor; beta: Tensor; decay?: Tensor | undefined };

/**
 * The delta rule on the decayed state: the value that the key reads moves towards the new one by the fraction `beta`.
 * `S ← exp(decay) ⊙ S`, then `S ← S + k (beta ⊙ (v − Sᵀ k))ᵀ`.
 */
export function deltaStep(
  { query, key, value, beta, decay }: DeltaInputs,
  state: Tensor,
  scan: FactoredScan,
): Scanned {
  if (beta.shape[3] === 1)
    return scan({ query, key, value, decay, erase: key, erases: "after", beta }, state);
  // Value channels that are erased at rates of their own have a state of their own, [K, 1].
  const V = value.shape[3]!;
  const [B, H, K] = state.shape as [number, number, number];
  const shared = (x: Tensor) => repeat(x, V, 1);
  const keys = shared(key);
  const alone = scan(
    {
      query: shared(query),
      key: keys,
      decay: decay && shared(decay),
      value: channelsAsHeads(value),
      erase: keys,
      erases: "after",
      beta: channelsAsHeads(beta),
    },
    reshape(permute(state, [0, 1, 3, 2]), [B, H * V, K, 1]),
  );
  return {
    output: headsAsChannels(alone.output, V),
    state: permute(reshape(alone.state, [B, H, V, K]), [0, 1, 3, 2]),
  };
}
