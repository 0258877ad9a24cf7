import { checks, type Checks } from "@qkv/core";
import { add, mul, sub, sum, tensor, valueAndGrad, zerosLike, type Tensor } from "@qkv/tensor";
import type { LensModel, TokenInput } from "../lens-model.js";
import {
  resolveHooks,
  runWithTrace,
  type Hooks,
  type TracedRun,
  type TraceNames,
} from "../run-with-trace.js";
import { evaluateMetric, type Metric } from "./metric.js";
import {
  readNumber,
  patchingOptions,
  patchingPair,
  type PatchingMap,
  type PatchingOptions,
  type PatchingPair,
} from "./patching-map.js";
import { positionAxis } from "./slices.js";

/**
 * Attribution patching: estimates every patch of {@link activationPatching} from two runs and one gradient, as the change of a
 * tensor times the gradient of the metric. It is the first-order term of the exact effect: accurate where the metric is nearly
 * linear in the tensor, poor where norms and the softmax make it nonlinear, as in early layers and for large changes.
 *
 * @param input - The text to run and patch.
 * @param source - The text whose activations are patched in, with the same number of tokens.
 * @returns Estimates of the metric with each patch, in the form of {@link activationPatching}.
 * @throws {ArgumentError} If the texts differ in length, or the model has no tensor of a given name.
 * @see Nanda, "Attribution Patching" (2023), https://www.neelnanda.io/mechanistic-interpretability/attribution-patching
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { attributionPatching, logitDifference } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const metric = logitDifference({ token: 5, minus: 6 });
 * const { values } = await attributionPatching(model, [3, 1, 4], [3, 2, 4], { metric, names: ["heads"], by: "head" });
 * values.shape; // => [2, 2]
 * ```
 */
export async function attributionPatching(
  model: LensModel,
  input: TokenInput,
  source: TokenInput,
  options: PatchingOptions,
): Promise<PatchingMap> {
  const given = check.options(options, patchingOptions);
  const pair = patchingPair(check, model, input, source, given);
  return attributionMap(model, pair, runWithTrace(model, pair.ids[1], { names: pair.names as TraceNames }));
}

/** Estimates the map for a pair of texts. `from`: the traced run of the source. */
export async function attributionMap(
  model: LensModel,
  { ids, names, columns, by, metric }: PatchingPair,
  from: TracedRun,
): Promise<PatchingMap> {
  const { tensors } = runWithTrace(model, ids[0], { names: names as TraceNames });
  const { value, gradients } = gradientsAt(check, model, ids[0], tensors, metric);
  const unpatched = await readNumber(value);
  const values: number[] = [];
  for (const name of names) {
    const effect = mul(sub(from.tensors[name]!, tensors[name]!), gradients[name]!);
    const keptAxis = by === "head" ? 1 : positionAxis(name);
    const others = effect.shape.map((_, axis) => axis).filter((axis) => axis !== keptAxis);
    const row = await sum(effect, { axis: others }).read();
    for (let column = 0; column < columns; column++)
      values.push(column < row.length ? unpatched + row[column]! : NaN);
  }
  return {
    names,
    values: tensor(values, { shape: [names.length, columns] }),
    unpatched,
    source: await readNumber(evaluateMetric(check, metric, from.logits)),
  };
}

/**
 * A metric of a run, and its gradient with respect to tensors of the run.
 *
 * @param tensors - Traced tensors by full name; only their shapes are read.
 * @param replacements - Hooks that first replace some of these tensors.
 */
export function gradientsAt(
  check: Checks,
  model: LensModel,
  ids: Tensor | readonly number[],
  tensors: Readonly<Record<string, Tensor>>,
  metric: Metric,
  replacements: Hooks = {},
): { value: Tensor; gradients: Readonly<Record<string, Tensor>> } {
  const changes = Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, zerosLike(x)]));
  const [value, gradients] = valueAndGrad((changes: Record<string, Tensor>): Tensor => {
    const hooks = Object.fromEntries(
      Object.entries(changes).map(([name, change]) => [
        name,
        (x: Tensor) => add(replacements[name]?.(x, name) ?? x, change),
      ]),
    );
    const interventions = resolveHooks(model, hooks);
    const trace = { names: [], tensors: {}, interventions };
    return evaluateMetric(check, metric, model.apply(model.params, ids, { trace }));
  })(changes);
  return { value, gradients };
}

const check: Checks = /* @__PURE__ */ checks("attributionPatching");
