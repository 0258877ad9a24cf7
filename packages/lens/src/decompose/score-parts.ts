import { checks, type Checks } from "@qkv/core";
import { linear, mul, type Tensor } from "@qkv/tensor";
import type { LensModel, TokenInput } from "../lens-model.js";
import { partSource, type PartSource } from "./residual-part.js";
import { scoreSides, type ScorePlace, type ScoreSides } from "./score-sides.js";

/** A score, split by the sources of its query and its key. */
export type ScoreParts = {
  /** Score before the softmax: the sum of `values`, `softcap` and `bias`. −Infinity where the mask hides the key. */
  readonly score: number;
  /** `scale · q · k`, before softcap and biases: the sum of `values`. */
  readonly dot: number;
  /** Weight of the key after the softmax. */
  readonly weight: number;
  /** Change by the softcap. 0 without one. */
  readonly softcap: number;
  /** Change by a bias such as ALiBi. 0 without one, and where the mask hides the key. */
  readonly bias: number;
  /** P sources of the query. */
  readonly querySources: readonly PartSource[];
  /** S sources of the key. */
  readonly keySources: readonly PartSource[];
  /** `[P, S]`: the contribution of each pair of sources to the score. */
  readonly values: Tensor;
};

/**
 * Splits the score of a query and a key by the sources of both: the embedding, the position, each earlier head and
 * feed-forward layer, and biases. The pairs with the largest values explain why the head attends to the token.
 *
 * The parts sum to `scale · q · k` before the softcap: to 1e-5 in float32, to 1e-10 in float64 (see {@link inFloat64}). All
 * norms, those of queries and keys too, keep their scales of the run. Rotary embeddings are linear. The two dot products of
 * latent attention (MLA) are summed.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @param place - Layer, head, and the positions of query and key, all from 0.
 * @throws {ArgumentError} If the layer has no scores, or a number is out of range.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { sum } from "@qkv/tensor";
 * import { decoder } from "@qkv/transformer";
 * import { inFloat64, scoreParts } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = inFloat64({ config, params: init(1), apply });
 * const parts = scoreParts(model, [3, 1, 4], { layer: 1, head: 0, query: 2, key: 1 });
 * parts.keySources.map(({ name }) => name); // => ["embedding", "layers.0.heads.0", "layers.0.heads.1", "layers.0.feedForward"]
 * Math.abs(sum(parts.values).data[0]! - parts.dot) < 1e-10; // => true
 * ```
 */
export function scoreParts(model: LensModel, input: TokenInput, place: ScorePlace): ScoreParts {
  return scorePartsFromSides(scoreSides(check, model, input, place));
}

/** Parts of a score: products of the query's parts and the key's parts. */
export function scorePartsFromSides({ query, key, scale, numbers }: ScoreSides): ScoreParts {
  const [queryParts, keyParts] = [query.vectors(query.parts), key.vectors(key.parts)];
  return {
    ...numbers,
    querySources: queryParts.sources.map(partSource),
    keySources: keyParts.sources.map(partSource),
    values: mul(linear(queryParts.vectors, keyParts.vectors), scale), // [P, S]
  };
}

const check: Checks = /* @__PURE__ */ checks("scoreParts");
