import { checks, type Checks } from "@qkv/core";
import { add, mul, sub, sum, tensor, valueAndGrad, zerosLike, type Tensor } from "@qkv/tensor";
import type { LensModel, TokenInput } from "../lens-model.js";
import {
  interventionsOf,
  runWithTrace,
  type Hooks,
  type TracedRun,
  type TraceNames,
} from "../run-with-trace.js";
import { measured, type Metric } from "./metric.js";
import {
  numberFrom,
  patchingOptions,
  patchingPair,
  type PatchingMap,
  type PatchingOptions,
  type PatchingPair,
} from "./patching-map.js";
import { positionAxis } from "./slices.js";

/**
 * Attribution patching: estimates every patch of {@link activationPatching} from two runs and one gradient, as the change of a
 * tensor times the gradient of the metric. It is the first-order term of the exact effect: good where the metric is nearly linear
 * in the tensor, poor where norms and softmax bend it, as in early layers and at large changes.
 *
 * @param input - The text that is run and patched.
 * @param source - The text that patches come from, of as many tokens.
 * @returns Estimates of the metric with each patch, in the form of {@link activationPatching}.
 * @throws {ArgumentError} If the texts differ in length, or a name is none of the model's.
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

/** The estimates of a pair of texts, whose source was run and traced. */
export async function attributionMap(
  model: LensModel,
  { ids, names, columns, by, metric }: PatchingPair,
  from: TracedRun,
): Promise<PatchingMap> {
  const { tensors } = runWithTrace(model, ids[0], { names: names as TraceNames });
  const { value, gradients } = gradientsAt(check, model, ids[0], tensors, metric);
  const unpatched = await numberFrom(value);
  const values: number[] = [];
  for (const name of names) {
    const effect = mul(sub(from.tensors[name]!, tensors[name]!), gradients[name]!);
    const kept = by === "head" ? 1 : positionAxis(name);
    const others = effect.shape.map((_, axis) => axis).filter((axis) => axis !== kept);
    const row = await sum(effect, { axis: others }).read();
    for (let at = 0; at < columns; at++) values.push(at < row.length ? unpatched + row[at]! : NaN);
  }
  return {
    names,
    values: tensor(values, { shape: [names.length, columns] }),
    unpatched,
    source: await numberFrom(measured(check, metric, from.logits)),
  };
}

/**
 * A metric of a run and its gradient with respect to tensors of it.
 *
 * @param tensors - By full name, as traced: their shapes.
 * @param instead - Replaces some of these tensors first.
 */
export function gradientsAt(
  check: Checks,
  model: LensModel,
  ids: Tensor | readonly number[],
  tensors: Readonly<Record<string, Tensor>>,
  metric: Metric,
  instead: Hooks = {},
): { value: Tensor; gradients: Readonly<Record<string, Tensor>> } {
  const changes = Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, zerosLike(x)]));
  const [value, gradients] = valueAndGrad((changes: Record<string, Tensor>): Tensor => {
    const hooks = Object.fromEntries(
      Object.entries(changes).map(([name, change]) => [
        name,
        (x: Tensor) => add(instead[name]?.(x, name) ?? x, change),
      ]),
    );
    const interventions = interventionsOf(model, hooks);
    const trace = { names: [], tensors: {}, interventions };
    return measured(check, metric, model.apply(model.params, ids, { trace }));
  })(changes);
  return { value, gradients };
}

const check: Checks = /* @__PURE__ */ checks("attributionPatching");
