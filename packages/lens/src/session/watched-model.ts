import { remat, type Tensor } from "@qkv/tensor";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";

/** Callbacks of a running model. */
export type Watch = {
  /** Called at each tensor of the residual stream, forward and backward, with the finished fraction of the pass, 0 to 1. It may throw. */
  readonly onTensor: (part: number) => void;
};

/** Tensors outside of attention: interventions there do not disable fused attention kernels. */
const watchedNames =
  /(^embeddings|\.(input|attentionInput|attentionOutput|middle|feedForwardInput|feedForwardHidden|feedForwardOutput|output))$/;

/**
 * The same model, whose passes call `onTensor`. A call that throws ends the pass: forward at the tensor that was just computed,
 * backward at the tensor whose gradient is next.
 */
export function watchedModel<T extends LensModel>(model: T, watch: Watch): T {
  const names = tensorNames(model.config);
  const apply: LensModel["apply"] = (params, ids, options = {}) => {
    const { trace } = options;
    const interventions = watchedInterventions(names, watch, trace?.interventions);
    return model.apply(params, ids, {
      ...options,
      trace: { names: trace?.names ?? [], tensors: trace?.tensors ?? {}, interventions },
    });
  };
  return { ...model, apply };
}

/**
 * Interventions that call `onTensor` after the given ones.
 *
 * @param names - Full names of the tensors of a pass, in order.
 */
export function watchedInterventions(
  names: readonly string[],
  { onTensor }: Watch,
  initial: Interventions = {},
): Interventions {
  const interventions: Record<string, (x: Tensor) => Tensor> = { ...initial };
  names
    .filter((name) => watchedNames.test(name))
    .forEach((name, i, { length }) => {
      const intervention = interventions[name];
      // `remat` runs its function again in the backward pass, so `onTensor` is called there too.
      const seen = remat((x: Tensor) => {
        onTensor((i + 1) / length);
        return x;
      });
      interventions[name] = (x) => seen(intervention ? intervention(x) : x);
    });
  return interventions;
}
