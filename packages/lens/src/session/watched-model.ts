import { remat, type Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";

/** Watches a model while it runs. */
export type Watch = {
  /** Called at each tensor of the residual stream, forward and backward, with the part of the pass that is done, 0 to 1. It may throw. */
  readonly onTensor: (part: number) => void;
};

/** Tensors outside of attention's inside, which fused kernels leave alone. */
const watchedNames =
  /(^embeddings|\.(input|attentionInput|attentionOutput|middle|feedForwardInput|feedForwardHidden|feedForwardOutput|output))$/;

/**
 * The same model, whose passes call `onTensor` on the way. A call that throws ends the pass: forward at the tensor that was just computed,
 * backward at the one whose gradient comes next.
 */
export function watchedModel<T extends LensModel>(model: T, { onTensor }: Watch): T {
  const names = tensorNames(model.config).filter((name) => watchedNames.test(name));
  const apply: LensModel["apply"] = (params, ids, options = {}) => {
    const { trace } = options;
    const interventions: Record<string, (x: Tensor) => Tensor> = { ...trace?.interventions };
    names.forEach((name, i) => {
      const own = interventions[name];
      // Recomputed in the backward pass: that is where it is called again.
      const seen = remat((x: Tensor) => {
        onTensor((i + 1) / names.length);
        return x;
      });
      interventions[name] = (x) => seen(own ? own(x) : x);
    });
    return model.apply(params, ids, {
      ...options,
      trace: { names: trace?.names ?? [], tensors: trace?.tensors ?? {}, interventions },
    });
  };
  return { ...model, apply };
}
