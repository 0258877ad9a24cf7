import type { Checks } from "@qkv/core";
import { isTensor, mul, slice, type Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";
import type { Metric } from "./metric.js";
import { hasHeads } from "./slices.js";

/** Options of maps of patches. */
export type PatchingOptions = {
  /** Measures the effect of a patch: `logitDifference({ token, minus })`. */
  readonly metric: Metric;
  /**
   * Tensors to patch one by one, a row of the map each: full names, or ends of names for all layers. Default
   * `["output"]`, the residual stream after each layer.
   */
  readonly names?: TraceNames;
  /** Columns of the map: the positions of the text, or the heads of tensors that have them. Default `position`. */
  readonly by?: "position" | "head";
};

/** The effect of each patch. */
export type PatchingMap = {
  /** Full names of the patched tensors, R of them. */
  readonly names: readonly string[];
  /** `[R, positions]` or `[R, heads]` */
  readonly values: Tensor;
  /** The metric of the input without a patch. */
  readonly unpatched: number;
  /** The metric of the source. */
  readonly source: number;
};

/** Two texts with the same number of tokens, and the tensors to patch. */
export type PatchingPair = {
  readonly ids: readonly [input: Tensor | readonly number[], source: Tensor | readonly number[]];
  readonly names: readonly string[];
  /** Columns of the map. */
  readonly columns: number;
  readonly by: "position" | "head";
  readonly metric: Metric;
};

/** Checks the arguments of a map of patches. */
export function patchingPair(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  source: TokenInput,
  options: PatchingOptions,
): PatchingPair {
  checkModel(check, model);
  const inputText = oneText(check, model, input);
  const sourceText = oneText(check, model, source, "source");
  check.each(
    { source: `${sourceText.length} tokens` },
    () => inputText.length === sourceText.length,
    `${inputText.length} tokens, as the input has`,
    "give two texts of the same number of tokens.",
  );
  const { metric, names = ["output"], by = "position" } = options;
  const fix = "give one: `logitDifference({ token, minus })`.";
  check.type({ metric }, "function", fix);
  check.oneOf({ by }, ["position", "head"]);
  check.list({ names }, "names of tensors", (name) => typeof name === "string");
  const full = tensorNames(model.config).filter((name) =>
    names.some((requested) => requested === name || name.endsWith(`.${requested}`)),
  );
  check.each(
    { names: names.join(", ") },
    () => full.length > 0,
    "names of tensors",
    "take some of `tensorNames`.",
  );
  const headless = by === "head" ? full.find((name) => !hasHeads(name)) : undefined;
  if (headless !== undefined) {
    const expected = "tensors with an axis of heads, as `by` is head";
    check.refuse({ argument: "names", received: headless, expected, fix: 'give `["heads"]`.' });
  }
  const columns = by === "head" ? maxHeads(model, inputText.ids, full) : inputText.length;
  return { ids: [inputText.ids, sourceText.ids], names: full, columns, by, metric };
}

/** The largest number of heads of some tensors, from a pass over the first token. */
function maxHeads(model: LensModel, ids: PatchingPair["ids"][0], names: readonly string[]): number {
  const first = isTensor(ids) ? slice(ids, 1, 0, 1) : ids.slice(0, 1);
  let most = 0;
  const hook = ({ shape }: Tensor): undefined => void (most = Math.max(most, shape[1]!));
  runWithTrace(model, first, { names: [], hooks: Object.fromEntries(names.map((name) => [name, hook])) });
  return most;
}

/** Names of options. */
export const patchingOptions = ["metric", "names", "by"] as const;

/** The value of a tensor with one element. */
export async function readNumber(x: Tensor): Promise<number> {
  return (await mul(x, 1).read())[0]!;
}
