import { checks, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type Hook, type TraceNames } from "../run-with-trace.js";
import { evaluateMetric, type Metric } from "./metric.js";
import { patch, type PatchPlace } from "./patch.js";
import { readNumber } from "./patching-map.js";

export type PathPatchingOptions = {
  /** Sender, the start of the path: a tensor that is written to the residual stream, such as `layers.0.attention.heads`, or a part of it. */
  readonly from: PatchPlace;
  /**
   * Receivers, the ends of the path: inputs of later layers, such as `layers.1.attention.query`, or parts of them; `finalInput` for
   * the direct effect on the logits.
   */
  readonly to: readonly PatchPlace[];
  /** Measures the effect: `logitDifference({ token, minus })`. */
  readonly metric: Metric;
  /**
   * Layers that are frozen at their unpatched values. `all`: the path is the residual stream only. `attention`: feed-forward
   * layers are computed again and belong to the path. Default `all`.
   */
  readonly frozen?: "all" | "attention";
};

export type PathPatchingResult = {
  /** The metric of the run in which only the ends of the path read the change. */
  readonly patched: number;
  /** The metric without a patch. */
  readonly unpatched: number;
  /** The metric of the source. */
  readonly source: number;
};

/**
 * Path patching: the effect of one head or layer on the metric through chosen receivers only. A first run replaces the sender by
 * its value in another run, with all other layers frozen; a second run patches in the receivers' inputs of the first.
 *
 * @param input - The text to run and patch.
 * @param source - The text that the sender's value comes from, with the same number of tokens.
 * @throws {ArgumentError} If the texts differ in length, or the model has no tensor of a given name.
 * @see "Localizing Model Behavior with Path Patching" (2023), arXiv:2304.05969
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { logitDifference, pathPatching } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const { patched } = await pathPatching({ config, params: init(1), apply }, [3, 1, 4], [3, 2, 4], {
 *   from: { name: "layers.0.attention.heads", head: 1 },
 *   to: [{ name: "layers.1.attention.query", head: 0 }],
 *   metric: logitDifference({ token: 5 }),
 * });
 * Number.isFinite(patched); // => true
 * ```
 */
export async function pathPatching(
  model: LensModel,
  input: TokenInput,
  source: TokenInput,
  options: PathPatchingOptions,
): Promise<PathPatchingResult> {
  checkModel(check, model);
  const inputText = oneText(check, model, input);
  const sourceText = oneText(check, model, source, "source");
  const expected = `${inputText.length} tokens, as the input has`;
  const fix = "give two texts of the same number of tokens.";
  check.each(
    { source: `${sourceText.length} tokens` },
    () => inputText.length === sourceText.length,
    expected,
    fix,
  );
  const given = check.options(options, ["from", "to", "metric", "frozen"]);
  const { from, to, metric, frozen = "all" } = given;
  const isPlace = (value: unknown) => typeof (value as Partial<PatchPlace> | null)?.name === "string";
  check.each({ from }, isPlace, "{ name, position, head }");
  check.list({ to }, "{ name, position, head }", isPlace);
  check.each({ to }, () => to.length > 0, "one place or more", "name what reads the change.");
  check.type({ metric }, "function", "give one: `logitDifference({ token, minus })`.");
  check.oneOf({ frozen }, ["all", "attention"]);

  const frozenNames = tensorNames(model.config).filter(
    (name) => isWritten(name, frozen) && name !== from.name,
  );
  const unpatchedRun = runWithTrace(model, inputText.ids, { names: frozenNames as unknown as TraceNames });
  const sourceRun = runWithTrace(model, sourceText.ids, { names: [from.name] as unknown as TraceNames });
  const hooks: Record<string, Hook> = { ...patch(sourceRun.tensors, [from]) };
  for (const name of frozenNames) hooks[name] = () => unpatchedRun.tensors[name]!;
  const ends = to.map(({ name }) => name) as unknown as TraceNames;
  const frozenRun = runWithTrace(model, inputText.ids, { names: ends, hooks });
  const patchedRun = runWithTrace(model, inputText.ids, { names: [], hooks: patch(frozenRun.tensors, to) });
  const measure = ({ logits }: { logits: Tensor }) => readNumber(evaluateMetric(check, metric, logits));
  return {
    patched: await measure(patchedRun),
    unpatched: await measure(unpatchedRun),
    source: await measure(sourceRun),
  };
}

/** True for tensors that are added to the residual stream and are frozen. */
function isWritten(name: string, frozen: "all" | "attention"): boolean {
  if (name.endsWith(".attention.heads")) return true;
  return frozen === "all" && name.endsWith(".feedForwardOutput");
}

const check: Checks = /* @__PURE__ */ checks("pathPatching");
