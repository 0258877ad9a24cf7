import { checks, checkSignal, type Checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { LensModel, TokenInput } from "../lens-model.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";
import { measured } from "./metric.js";
import { patch } from "./patch.js";
import {
  numberFrom,
  patchingOptions,
  patchingPair,
  type PatchingMap,
  type PatchingOptions,
} from "./patching-map.js";

export type ActivationPatchingOptions = PatchingOptions & {
  /** Called after each run with the number of patches done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the map between two runs. */
  readonly signal?: AbortSignal;
};

/**
 * Activation patching as a map: the metric of a run in which one tensor, at one position or in one head, is that of another run.
 * A place where a patch brings back the answer of the source is one where the model carries it.
 *
 * Costs one run for each patch. {@link attributionPatching} estimates all of them from three.
 *
 * @param input - The text that is run and patched: a text, ids, or ids `[1, T]`.
 * @param source - The text that patches come from, of as many tokens.
 * @returns A row for each tensor, a column for each position or head.
 * @throws {ArgumentError} If the texts differ in length, or a name is none of the model's.
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
    numberFrom(measured(check, metric, runWithTrace(model, ids[0], { names: [], hooks }).logits));
  const unpatched = await measure();
  const values: number[] = [];
  const total = names.length * columns;
  for (const name of names) {
    for (let at = 0; at < columns; at++) {
      signal?.throwIfAborted();
      const heads = from.tensors[name]?.shape[1] ?? 0;
      const isThere = by === "position" || at < heads;
      const place = { name, [by]: at };
      values.push(isThere ? await measure(patch(from.tensors, [place])) : NaN);
      onProgress?.(values.length, total);
      await yieldToEventLoop();
    }
  }
  return {
    names,
    values: tensor(values, { shape: [names.length, columns] }),
    unpatched,
    source: await numberFrom(measured(check, metric, from.logits)),
  };
}

/** Lets a page draw, and a signal arrive. */
const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const check: Checks = /* @__PURE__ */ checks("activationPatching");
