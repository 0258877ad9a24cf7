import { checks } from "@qkv/core";
import { isTensor, tensor, type Tensor } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";

/** Scores of all heads of a model. */
export type HeadScores = {
  /** Layers with attention weights: the layer of each row. */
  readonly layers: readonly number[];
  /** `[rows, H]`; NaN for heads that a layer lacks. */
  readonly values: Tensor;
};

/**
 * Scores each head of a model on one text by the pattern of its weights: `previousToken`, `firstToken`, `induction` or
 * `sameToken` (duplicate tokens) of `@qkv/attention`, or a function of your own.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`. For induction, one in which tokens repeat.
 * @param score - Function of the weights `[1, H, T, T]` and the ids; returns a score for each head, `[H]`.
 * @throws {ArgumentError} If no layer has weights.
 * @see "In-context Learning and Induction Heads" (2022), arXiv:2209.11895
 *
 * @example
 * ```ts
 * import { induction } from "@qkv/attention";
 * import { decoder } from "@qkv/transformer";
 * import { headScores } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const { values } = headScores({ config, params: init(1), apply }, [3, 1, 4, 3, 1, 4], induction);
 * values.shape; // => [2, 2]
 * ```
 */
export function headScores(
  model: LensModel,
  input: TokenInput,
  score: (weights: Tensor, ids: Int32Array) => Tensor,
): HeadScores {
  checkModel(check, model);
  const { ids } = oneText(check, model, input);
  check.type({ score }, "function", "give `previousToken`, `induction` or another of @qkv/attention.");
  const names = tensorNames(model.config).filter((name) => name.endsWith(".attention.weights"));
  check.each({ model: "no weights" }, () => names.length > 0, "a model of which a layer attends");
  const { tensors } = runWithTrace(model, ids, { names: names as TraceNames });
  const list = Int32Array.from("shape" in ids ? ids.data : ids);
  const traced = names.filter((name) => tensors[name]);
  const rows = traced.map((name) => {
    const H = tensors[name]!.shape[1]!;
    const row: unknown = score(tensors[name]!, list);
    const isRow = (x: unknown) => isTensor(x) && x.shape.join() === String(H);
    check.each({ "score(weights, ids)": row }, isRow, `a tensor [${H}], a number for each head`);
    return (row as Tensor).data;
  });
  const H = Math.max(...rows.map(({ length }) => length));
  const values = rows.flatMap((row) => Array.from({ length: H }, (_, h) => row[h] ?? NaN));
  return {
    layers: traced.map((name) => Number(name.split(".")[1])),
    values: tensor(values, { shape: [rows.length, H] }),
  };
}

const check = /* @__PURE__ */ checks("headScores");
