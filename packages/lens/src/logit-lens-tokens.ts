import { checks } from "@qkv/core";
import { add, cast, gather, greater, isTensor, reshape, softmax, sum, topK, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { checkModel, oneText, type LensModel, type TokenInput } from "./lens-model.js";
import { runWithTrace, type TraceNames } from "./run-with-trace.js";

export type LogitLensOptions = {
  /** K, the number of most probable tokens to return. Default 5. */
  readonly topK?: number;
};

/** An array of numbers in row-major order, with its shape. */
export type LensNumbers = { readonly data: Float64Array; readonly shape: readonly number[] };

/** Tokens that a model would predict after each layer of a run. `logitLensView` of `@qkv/viz` draws it. */
export type LogitLensResult = {
  /** Name of the tensor of each of the L + 1 rows: `embeddings`, `layers.0.output`. */
  readonly names: readonly string[];
  /** T tokens of the text. Without a tokenizer: their ids. */
  readonly tokens: readonly string[];
  /** The K most probable tokens: L + 1 rows, T positions, K tokens. */
  readonly topTokens: readonly (readonly (readonly string[])[])[];
  /** `[L + 1, T, K]` */
  readonly probabilities: LensNumbers;
  /** The model's prediction at each position, the most probable token of the last row, and its probability in each row. */
  readonly final: {
    readonly tokens: readonly string[];
    /** `[L + 1, T]` */
    readonly probabilities: LensNumbers;
    /** `[L + 1, T]`: rank of its logit, 1 for the highest. */
    readonly ranks: LensNumbers;
  };
};

/**
 * The logit lens as tokens: the most probable next tokens after the embeddings and after each layer, and the probability and
 * rank of the model's prediction there. `logitLensView` of `@qkv/viz` draws it.
 *
 * Logits of one layer are in memory at a time: a vocabulary of 150,000 tokens needs 0.6 MB for each token of the text.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @throws {ArgumentError} If `topK` is not an integer from 1 to the size of the vocabulary, or the number of a classifier's answers.
 * @see nostalgebraist, "interpreting GPT: the logit lens" (2020)
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { logitLensTokens } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const lens = await logitLensTokens({ config, params: init(1), apply }, [3, 1, 4], { topK: 2 });
 * lens.names; // => ["embeddings", "layers.0.output", "layers.1.output"]
 * lens.probabilities.shape; // => [3, 3, 2]
 * Array.from(lens.final.ranks.data.slice(-3)); // => [1, 1, 1]
 * ```
 */
export async function logitLensTokens(
  model: LensModel,
  input: TokenInput,
  options?: LogitLensOptions,
): Promise<LogitLensResult> {
  checkModel(check, model);
  const { config, params, tokenizer } = model;
  const given = check.options(options, ["topK"]);
  const { ids, length: T } = oneText(check, model, input);
  const names = ["embeddings", ...Array.from({ length: config.numLayers }, (_, i) => `layers.${i}.output`)];
  const { logits: last, tensors } = runWithTrace(model, ids, { names: names as unknown as TraceNames });
  // A classifier may have fewer outputs than the default.
  const numOutputs = last.shape.at(-1)!;
  const { topK: K = Math.min(5, numOutputs) } = given;
  check.whole({ topK: K }, { min: 1, max: numOutputs, unit: "tokens" });
  const { logits: logitsOf } = decoder(config);
  const finalIds = topK(last, 1).indices; // [1, T, 1]
  const word = (id: number) => tokenizer?.decode([id]) ?? String(id);

  const rows: Record<"ids" | "probabilities" | "final" | "ranks", readonly number[]>[] = [];
  for (const name of names) {
    // The last row has the model's own logits, which include steps after the last layer.
    const logits = name === names.at(-1) ? last : logitsOf(params, tensors[name]!);
    const probabilities = softmax(logits); // [1, T, V]
    const top = topK(logits, K).indices;
    const finalLogits = gather(logits, -1, finalIds);
    const higher = sum(cast(greater(logits, finalLogits), logits.dtype as "float32"), { axis: -1 });
    rows.push({
      ids: await read(top),
      probabilities: await read(gather(probabilities, -1, top)),
      final: await read(gather(probabilities, -1, finalIds)),
      ranks: await read(add(reshape(higher, [T]), 1)),
    });
  }
  const joined = (part: "probabilities" | "final" | "ranks", ...shape: number[]): LensNumbers => ({
    data: Float64Array.from(rows.flatMap((row) => row[part])),
    shape: [names.length, ...shape],
  });
  const textIds = isTensor(ids) ? await read(ids) : ids;
  return {
    names,
    tokens: Array.from(textIds, (id) => word(id)),
    topTokens: rows.map(({ ids }) =>
      Array.from({ length: T }, (_, t) => ids.slice(t * K, (t + 1) * K).map(word)),
    ),
    probabilities: joined("probabilities", T, K),
    final: {
      tokens: (await read(finalIds)).map(word),
      probabilities: joined("final", T),
      ranks: joined("ranks", T),
    },
  };
}

/** Elements of a tensor, from any device. */
const read = async (x: Tensor): Promise<number[]> => Array.from(await x.read(), Number);

const check = /* @__PURE__ */ checks("logitLensTokens");
