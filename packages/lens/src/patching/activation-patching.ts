import { checks, checkSignal, type Checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { LensModel, TokenInput } from "../lens-model.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";
import { evaluateMetric } from "./metric.js";
import { patch } from "./patch.js";
import {
  readNumber,
  patchingOptions,
  patchingPair,
  type PatchingMap,
  type PatchingOptions,
} from "./patching-map.js";

export type ActivationPatchingOptions = PatchingOptions & {
  /** Called after each run with the number of finished patches, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Cancels between two runs. */
  readonly signal?: AbortSignal;
};

/**
 * A map of activation patching: the metric of a run in which one tensor, at one position or in one head, has the value of another
 * run. Where a patch restores the answer of the source, the model carries the information of that answer.
 *
 * Costs one run for each patch. {@link attributionPatching} estimates the whole map from two runs and one gradient.
 *
 * @param input - The text to run and patch: a text, ids, or ids `[1, T]`.
 * @param source - The text whose activations are patched in, with the same number of tokens.
 * @returns A row for each tensor, a column for each position or head.
 * @throws {ArgumentError} If the texts differ in length, or the model has no tensor of a given name.
 * @see "Locating and Editing Factual Associations in GPT" (2022), arXiv:2202.05262
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { activationPatching, logitDifference } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const metric = logitDifference({ token: 5, minus: 6 });
 * const { names, values } = await activationPatching(model, [3, 1, 4], [3, 2, 4], { metric });
 * names; // => ["layers.0.output", "layers.1.output"]
 * values.shape; // => [2, 3]
 * ```
 */
export async function activationPatching(
  model: LensModel,
  input: TokenInput,
  source: TokenInput,
  options: ActivationPatchingOptions,
): Promise<PatchingMap> {
  const given = check.options(options, [...patchingOptions, "onProgress", "signal"]);
  const { onProgress, signal } = given;
  if (onProgress !== undefined) check.type({ onProgress }, "function");
  checkSignal("activationPatching", signal);
  const { ids, names, columns, by, metric } = patchingPair(check, model, input, source, given);
  const from = runWithTrace(model, ids[1], { names: names as TraceNames });
  const measure = async (hooks = {}) =>
    readNumber(evaluateMetric(check, metric, runWithTrace(model, ids[0], { names: [], hooks }).logits));
  const unpatched = await measure();
  const values: number[] = [];
  const total = names.length * columns;
  for (const name of names) {
    for (let column = 0; column < columns; column++) {
      signal?.throwIfAborted();
      const heads = from.tensors[name]?.shape[1] ?? 0;
      const exists = by === "position" || column < heads;
      const place = { name, [by]: column };
      values.push(exists ? await measure(patch(from.tensors, [place])) : NaN);
      onProgress?.(values.length, total);
      await yieldToEventLoop();
    }
  }
  return {
    names,
    values: tensor(values, { shape: [names.length, columns] }),
    unpatched,
    source: await readNumber(evaluateMetric(check, metric, from.logits)),
  };
}

/** Yields, so that a page can render and a signal can abort. */
const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const check: Checks = /* @__PURE__ */ checks("activationPatching");
