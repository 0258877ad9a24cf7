import { checks } from "@qkv/core";
import { linear, tensor, transpose, type Tensor } from "@qkv/tensor";
import type { Model } from "@qkv/transformer";
import type { AttentionCallModel } from "@qkv/viz/figures/attention-call";
import { attend, checkOptions, readMatrix, type AttentionCallOptions } from "./attend.js";

export type { AttentionCallOptions } from "./attend.js";

const tokens = ["The", "cat", "sat", "on", "the", "mat"];
const features = ["animal", "action", "place", "helper"];
const rows = (...list: number[][]) =>
  tensor(list.flat(), { shape: [list.length, list[0]!.length], dtype: "float64" });

// Inputs are multiples of 0.5 and projections of 0.1 or 0.2, so that all products and sums are exact as printed.
const x = [
  [0, 0, 0, 1],
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 0.5, 0.5],
  [0, 0, 0, 1],
  [0, 0, 1, 0],
];
// `[C, D]`: rows are features of a token, columns are channels of queries, keys or values.
const weights = {
  query: [
    [0.4, 1.2, 0.2, 0.6],
    [2.4, 0.2, 1.2, 0],
    [0.2, 1, 0.4, 0.4],
    [0.8, 0.2, 1.4, 0],
  ],
  key: [
    [2.4, 0, -0.4, 0.2],
    [0, 2.2, 0.2, 0],
    [-0.6, 0, 2, 0],
    [0, 0.2, 0, 1.8],
  ],
  value: [
    [2.6, 0.2, 0, 0.2],
    [0, 2.2, -0.2, 0],
    [0, 0.2, 2.4, 0],
    [0.2, 0, 0.2, 1.6],
  ],
};

/**
 * The call of six tokens and four features with numbers chosen by hand, so that all sums are exact as printed: *sat* looks
 * for who sat, and finds the cat. The attention is that of `@qkv/attention`.
 *
 * @param options - `mask` and `temperature`. There is one head.
 *
 * @example
 * ```ts
 * import { attentionCallExample } from "@qkv/figures";
 *
 * const { tokens, dots } = await attentionCallExample();
 * [tokens[2], tokens[1], dots.data[2 * 6 + 1]]; // => ["sat", "cat", 5.28]
 * ```
 */
export async function attentionCallExample(options: AttentionCallOptions = {}): Promise<AttentionCallModel> {
  checkOptions(checks("attentionCallExample"), options);
  const input = rows(...x);
  const [wq, wk, wv] = [weights.query, weights.key, weights.value].map((list) => rows(...list)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const project = (w: Tensor) => {
    const made = linear(input, transpose(w, 0, 1));
    // Rounds away the errors of binary fractions: 0.1 + 0.2 gives 0.3.
    const data = Array.from(made.data, (value) => Number(Number(value).toFixed(9)));
    return tensor(data, { shape: [1, 1, tokens.length, features.length], dtype: "float64" });
  };
  const made = await attend({ query: project(wq), key: project(wk), value: project(wv) }, options);
  const exact = made.dots.data.map((value) => Number(value.toFixed(9)));
  return {
    tokens,
    features,
    channels: features,
    x: await readMatrix(input),
    projections: { query: await readMatrix(wq), key: await readMatrix(wk), value: await readMatrix(wv) },
    ...made,
    dots: { ...made.dots, data: exact },
  };
}

/**
 * The call of one head of a loaded model on a text: its input after the norm, queries and keys after rotary positions, and
 * all that follows. With the causal mask and temperature 1 these are the numbers that the model itself computes, which is
 * checked; other choices say what the head would do.
 *
 * @param model - A decoder, as `load` returns it.
 * @param text - Text. If it is longer than `maxTokens`, its last tokens.
 * @param options - `head`: counted over all layers from 0, so that head 2 of layer 1 of 4 heads is 6. `mask`, `temperature`.
 *   `maxTokens`: default 24.
 * @throws {ArgumentError} If there is no such head, or its attention has a part that the figure does not draw.
 *
 * @example
 * ```ts
 * import { attentionCallModel } from "@qkv/figures";
 * import { modelTiny } from "@qkv/model-tiny";
 * import { load } from "@qkv/transformer";
 *
 * const model = await load(await modelTiny());
 * const call = await attentionCallModel(model, "The cat sat on the mat.", { head: 5 });
 * [call.head, call.query.shape[1]]; // => ["layer 1, head 1", 32]
 * ```
 */
export async function attentionCallModel(
  model: Model,
  text: string,
  options: AttentionCallOptions & { maxTokens?: number } = {},
): Promise<AttentionCallModel> {
  const { headCall } = await import("./head-call.js");
  return headCall(model, text, options);
}
