import { checks, type Checks } from "@qkv/core";
import { add, isTensor, mul, sub, sum, zerosLike, type Tensor } from "@qkv/tensor";
import { checkModel, checkRowsName, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { gradientsAt } from "../patching/attribution-patching.js";
import type { Metric } from "../patching/metric.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";

export type SaliencyOptions = {
  /** The number to explain: `logitDifference({ token })`. */
  readonly metric: Metric;
  /** Full name of the tensor `[1, T, C]` whose rows get a score. Default `embeddings`. */
  readonly name?: string;
};

/**
 * Gradient times input: what each token of a text adds to a metric, to first order.
 *
 * @returns `[T]`: one value per token.
 * @throws {ArgumentError} If the model has no tensor of this name.
 * @see "Learning Important Features Through Propagating Activation Differences" (2016), arXiv:1605.01713, section 2
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { gradientTimesInput, logitDifference } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const metric = logitDifference({ token: 5 });
 * gradientTimesInput({ config, params: init(1), apply }, [3, 1, 4], { metric }).shape; // => [3]
 * ```
 */
export function gradientTimesInput(model: LensModel, input: TokenInput, options: SaliencyOptions): Tensor {
  const { metric, name, ids } = checkArguments(gradientChecks, model, input, options, ["metric", "name"]);
  const { tensors } = runWithTrace(model, ids, { names: [name] as unknown as TraceNames });
  const { gradients } = gradientsAt(gradientChecks, model, ids, tensors, metric);
  return sumByToken(mul(tensors[name]!, gradients[name]!));
}

export type IntegratedGradientsOptions = SaliencyOptions & {
  /** Points at which the gradient is computed. Default 32. */
  readonly steps?: number;
  /** Start of the path, in the shape of the tensor. Default: zeros. */
  readonly baseline?: Tensor;
};

/**
 * Integrated gradients: what each token adds to a metric, along a straight path from a baseline. The values sum to the metric
 * of the text minus the metric of the baseline. The integral is approximated by the midpoint rule with `steps` points.
 *
 * @returns `[T]`: one value per token.
 * @throws {ArgumentError} If the model has no tensor of this name, or `steps` is not an integer of at least 1.
 * @see "Axiomatic Attribution for Deep Networks" (2017), arXiv:1703.01365
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { integratedGradients, logitDifference } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const metric = logitDifference({ token: 5 });
 * integratedGradients({ config, params: init(1), apply }, [3, 1, 4], { metric, steps: 4 }).shape; // => [3]
 * ```
 */
export function integratedGradients(
  model: LensModel,
  input: TokenInput,
  options: IntegratedGradientsOptions,
): Tensor {
  const names = ["metric", "name", "steps", "baseline"] as const;
  const { metric, name, ids, given } = checkArguments(integralChecks, model, input, options, names);
  const { steps = 32, baseline } = given as IntegratedGradientsOptions;
  integralChecks.whole({ steps }, { min: 1 });
  const { tensors } = runWithTrace(model, ids, { names: [name] as unknown as TraceNames });
  const end = tensors[name]!;
  const start = baseline === undefined ? zerosLike(end) : baseline;
  const isStart = (x: unknown) => isTensor(x) && x.shape.join() === end.shape.join();
  integralChecks.each({ baseline: start }, isStart, `a tensor [${end.shape.join(", ")}], as ${name} is`);
  const difference = sub(end, start);
  let total = zerosLike(end);
  for (let step = 0; step < steps; step++) {
    const point = add(start, mul(difference, (step + 0.5) / steps));
    total = add(
      total,
      gradientsAt(integralChecks, model, ids, tensors, metric, { [name]: () => point }).gradients[name]!,
    );
  }
  return sumByToken(mul(mul(total, 1 / steps), difference));
}

/** Sums `[1, T, C]` over batch and channels: `[T]`. */
function sumByToken(x: Tensor): Tensor {
  return sum(x, { axis: [0, 2] });
}

function checkArguments<T extends SaliencyOptions>(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  options: T,
  names: readonly (keyof T & string)[],
) {
  checkModel(check, model);
  const { ids } = oneText(check, model, input);
  const given = check.options(options, names as never);
  const { metric, name = "embeddings" } = given;
  check.type({ metric }, "function", "give one: `logitDifference({ token, minus })`.");
  checkRowsName(check, model, name);
  return { metric, name, ids, given };
}

const gradientChecks: Checks = /* @__PURE__ */ checks("gradientTimesInput");
const integralChecks: Checks = /* @__PURE__ */ checks("integratedGradients");
