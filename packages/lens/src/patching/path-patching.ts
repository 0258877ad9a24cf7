import { checks, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type Hook, type TraceNames } from "../run-with-trace.js";
import { measured, type Metric } from "./metric.js";
import { patch, type PatchPlace } from "./patch.js";
import { numberFrom } from "./patching-map.js";

export type PathPatchingOptions = {
  /** Start of the path: a tensor that is written to the residual stream, such as `layers.0.attention.heads`, or a part of it. */
  readonly from: PatchPlace;
  /**
   * Ends of the path: what later layers read, such as `layers.1.attention.query`, or parts of it; `finalInput` for the logits
   * alone.
   */
  readonly to: readonly PatchPlace[];
  /** The number that tells the effect. */
  readonly metric: Metric;
  /**
   * Layers on the way that are frozen at the run's own. `all`: the path is the residual stream alone. `attention`: feed-forward
   * layers are computed again, and belong to the path. Default `all`.
   */
  readonly frozen?: "all" | "attention";
};

export type PathPatchingResult = {
  /** The metric of the run in which the ends of the path read the change, and nothing else does. */
  readonly patched: number;
  /** The metric without a patch. */
  readonly unpatched: number;
  /** The metric of the run that the start comes from. */
  readonly source: number;
};

/**
 * Path patching: the effect of one head or layer on the metric through chosen readers alone. The start is replaced by that of
 * another run while all other layers are frozen; what the ends read then is put into a run of its own.
 *
 * @param input - The text that is run and patched.
 * @param source - The text that the start comes from, of as many tokens.
 * @throws {ArgumentError} If the texts differ in length, or a name is none of the model's.
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
  const one = oneText(check, model, input);
  const other = oneText(check, model, source, "source");
  const expected = `${one.length} tokens, as the input has`;
  const fix = "give two texts of as many tokens.";
  check.each({ source: `${other.length} tokens` }, () => one.length === other.length, expected, fix);
  const given = check.options(options, ["from", "to", "metric", "frozen"]);
  const { from, to, metric, frozen = "all" } = given;
  const isPlace = (value: unknown) => typeof (value as Partial<PatchPlace> | null)?.name === "string";
  check.each({ from }, isPlace, "{ name, position, head }");
  check.list({ to }, "{ name, position, head }", isPlace);
  check.each({ to }, () => to.length > 0, "one place or more", "name what reads the change.");
  check.type({ metric }, "function", "give one: `logitDifference({ token, minus })`.");
  check.oneOf({ frozen }, ["all", "attention"]);

  const written = tensorNames(model.config).filter((name) => isWritten(name, frozen) && name !== from.name);
  const own = runWithTrace(model, one.ids, { names: written as unknown as TraceNames });
  const start = runWithTrace(model, other.ids, { names: [from.name] as unknown as TraceNames });
  const hooks: Record<string, Hook> = { ...patch(start.tensors, [from]) };
  for (const name of written) hooks[name] = () => own.tensors[name]!;
  const ends = to.map(({ name }) => name) as unknown as TraceNames;
  const read = runWithTrace(model, one.ids, { names: ends, hooks });
  const patched = runWithTrace(model, one.ids, { names: [], hooks: patch(read.tensors, to) });
  const measure = ({ logits }: { logits: Tensor }) => numberFrom(measured(check, metric, logits));
  return {
    patched: await measure(patched),
    unpatched: await measure(own),
    source: await measure(start),
  };
}

/** Tensors that are added to the residual stream, and are frozen. */
function isWritten(name: string, frozen: "all" | "attention"): boolean {
  if (name.endsWith(".attention.heads")) return true;
  return frozen === "all" && name.endsWith(".feedForwardOutput");
}

const check: Checks = /* @__PURE__ */ checks("pathPatching");
