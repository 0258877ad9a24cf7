import { checks, type Checks } from "@qkv/core";
import { linear, mul, slice, type Tensor } from "@qkv/tensor";
import { layerAttention } from "@qkv/transformer";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace, type TraceNames } from "../run-with-trace.js";
import { vectorParts, type Side } from "./query-key-parts.js";
import { residualNames, residualStream } from "./residual-stream.js";
import { sourceOf, type PartSource, type ResidualPart } from "./residual-part.js";

/** A score of one query and one key in one head. */
export type ScorePlace = {
  /** From 0. */
  readonly layer: number;
  /** Query head, from 0. */
  readonly head: number;
  /** Position of the query. */
  readonly query: number;
  /** Position of the key. */
  readonly key: number;
};

/** A score, split by what its query and its key were made of. */
export type ScoreParts = {
  /** Score before the softmax: the sum of `values`, `softcap` and `bias`. −Infinity where the mask hides the key. */
  readonly score: number;
  /** `scale · q · k`, before softcap and biases: the sum of `values`. */
  readonly dot: number;
  /** Weight of the key behind the softmax. */
  readonly weight: number;
  /** Change by the softcap. 0 without one. */
  readonly softcap: number;
  /** Change by a bias such as ALiBi. 0 without one, and where the mask hides the key. */
  readonly bias: number;
  /** Sources on the query's side, P of them. */
  readonly querySources: readonly PartSource[];
  /** Sources on the key's side, S of them. */
  readonly keySources: readonly PartSource[];
  /** `[P, S]`: the part of the score of each pair of sources. */
  readonly values: Tensor;
};

/**
 * Splits the score of a query and a key by what both were made of: the embedding, the position, each earlier head and
 * feed-forward layer, and biases. The reason why a head looks at a token is the largest of them.
 *
 * The parts sum to `scale · q · k` before the softcap: to 1e-5 in float32, to 1e-10 in float64 (see {@link inFloat64}). For that,
 * scales are frozen at those of the run: of the layer norm, of norms of queries and keys, and of norms on the way. Rotary
 * embeddings are linear. The two dot products of latent attention (MLA) are summed.
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
  checkModel(check, model);
  const { config, params } = model;
  const { ids, length } = oneText(check, model, input);
  const given = check.options(place, ["layer", "head", "query", "key"], "place");
  const { layer, head, query, key } = given;
  check.whole({ "place.layer": layer }, { min: 0, max: config.numLayers - 1, fix: "count layers from 0." });
  const attention = layerAttention(config, layer) ?? refuseUnscored(layer);
  const H = attention.config.numHeads;
  check.whole({ "place.head": head }, { min: 0, max: H - 1, fix: "count heads from 0." });
  check.whole(
    { "place.query": query, "place.key": key },
    { min: 0, max: length - 1, fix: "count tokens from 0." },
  );

  const keyLayer = config.sharedKeyValues?.[layer] ?? layer;
  const own = ["dots", "capped", "scores", "weights"].map((name) => `layers.${layer}.attention.${name}`);
  const names = [...residualNames, ...own] as unknown as TraceNames;
  const { tensors } = runWithTrace(model, ids, { names });
  const stream = residualStream(model, { tensors, positions: [query, key], heads: true });
  /** Parts of the query or key, of the row at its position: the first or second that is followed. */
  const side = (name: Side) => {
    const from = name === "query" ? layer : keyLayer;
    const at = name === "query" ? query : key;
    const row = (x: Tensor) => (name === "query" ? slice(x, 1, 0, 1) : slice(x, 1, 1, 2));
    const parts = stream
      .attentionInput(from)
      .parts.map((part): ResidualPart => ({ ...part, value: row(part.value) }));
    const made = from === layer ? attention : layerAttention(config, from)!;
    const groups = "numKvHeads" in made.config ? H / made.config.numKvHeads : 1;
    const heads = { query: head, key: Math.floor(head / groups) };
    return vectorParts(name, made, params.layers[from]!.attention, parts, heads, { position: at, length });
  };
  const [queryParts, keyParts] = [side("query"), side("key")];
  const values = mul(linear(queryParts.vectors, keyParts.vectors), scaleOf(attention)); // [P, S]
  const traced = (name: string) => {
    const x = tensors[`layers.${layer}.attention.${name}`]!;
    const [, , T, S] = x.shape as [number, number, number, number];
    return x.data[(head * T + query) * S + key]!;
  };
  const [dot, capped, score] = [traced("dots"), traced("capped"), traced("scores")];
  return {
    score,
    dot,
    weight: traced("weights"),
    softcap: capped - dot,
    bias: Number.isFinite(score) ? score - capped : 0,
    querySources: queryParts.sources.map(sourceOf),
    keySources: keyParts.sources.map(sourceOf),
    values,
  };
}

type MadeAttention = NonNullable<ReturnType<typeof layerAttention>>;

/** The factor of dot products of a layer. */
function scaleOf({ config }: MadeAttention): number {
  if ("kvRank" in config) return config.scale ?? 1 / Math.sqrt(config.nopeDim + config.ropeDim);
  const { scale, qkNorm, headDim } = config;
  return scale ?? qkNorm?.scale(headDim!) ?? 1 / Math.sqrt(headDim!);
}

function refuseUnscored(layer: number): never {
  return check.refuse({
    argument: "place.layer",
    received: layer,
    expected: "a layer with attention of the decoder's own: this one has no scores of queries and keys",
    fix: "choose another layer.",
  });
}

const check: Checks = /* @__PURE__ */ checks("scoreParts");
