import { tracedAttention, type AttentionParams } from "@qkv/attention";
import type { Checks } from "@qkv/core";
import { concat, resident, slice, tensor, zeros, type Tensor } from "@qkv/tensor";
import { layerAttention } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { interventionsOf, until, type TraceNames } from "../run-with-trace.js";
import { vectorParts, type Side, type VectorParts } from "./query-key-parts.js";
import { residualNames, residualStream } from "./residual-stream.js";
import { rowHooks } from "./row-hooks.js";
import type { ResidualPart } from "./residual-part.js";

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

/** One side of a score: the row that its query or its key is made of, as parts. */
export type ScoreSide = {
  /** Layer whose attention reads the row. */
  readonly layer: number;
  readonly position: number;
  /** Parts of the row as attention reads it, `[1, 1, C]` each. */
  readonly parts: readonly ResidualPart[];
  /** Parts of the query or key, of parts of the row. The scale of a norm is that of the sum of the parts given. */
  vectors(parts: readonly ResidualPart[]): VectorParts;
};

/** A score with its two sides, and the run that it is of. */
export type ScoreSides = {
  readonly query: ScoreSide;
  readonly key: ScoreSide;
  /** Factor of the dot product. */
  readonly scale: number;
  readonly numbers: {
    readonly score: number;
    readonly dot: number;
    readonly weight: number;
    readonly softcap: number;
    readonly bias: number;
  };
  /** Rows of the query and the key by full name, of the layers up to that of the score: two rows, of the query first. */
  readonly rows: Readonly<Record<string, Tensor>>;
  /** Tensors that were kept whole. */
  readonly whole: Readonly<Record<string, Tensor>>;
};

/**
 * Runs a model, and returns the sides of a score of it.
 *
 * @param options - `rows`: names of tensors whose rows of the query and the key are kept too, in the layers up to that of the score.
 *   `whole`: names of those that are kept whole. `ownMask`: true for a model whose attention has no mask but that of its
 *   layers, whose pass ends at the keys of the layer.
 */
export function scoreSides(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  place: ScorePlace,
  {
    rows = [],
    whole = [],
    ownMask = false,
  }: {
    readonly rows?: readonly string[];
    readonly whole?: readonly string[];
    readonly ownMask?: boolean;
  } = {},
): ScoreSides {
  checkModel(check, model);
  const { config, params } = model;
  const { ids, length } = oneText(check, model, input);
  const given = check.options(place, ["layer", "head", "query", "key"], "place");
  const { layer, head, query, key } = given;
  check.whole({ "place.layer": layer }, { min: 0, max: config.numLayers - 1, fix: "count layers from 0." });
  const attention = layerAttention(config, layer) ?? refuseUnscored(check, layer);
  const H = attention.config.numHeads;
  check.whole({ "place.head": head }, { min: 0, max: H - 1, fix: "count heads from 0." });
  check.whole(
    { "place.query": query, "place.key": key },
    { min: 0, max: length - 1, fix: "count tokens from 0." },
  );

  const keyLayer = config.sharedKeyValues?.[layer] ?? layer;
  const at = `layers.${layer}.attention`;
  const pair = [query, key] as const;
  // Layers above it are no part of a score: of them nothing is computed, or kept.
  const below = (wanted: readonly string[]) =>
    tensorNames(config).filter((name) => {
      const [, index] = /^layers\.(\d+)\./.exec(name) ?? [];
      const isBelow = index === undefined ? name !== "finalInput" : Number(index) <= layer;
      return isBelow && wanted.some((end) => `.${name}`.endsWith(`.${end}`));
    });
  const kept = below([...residualNames, ...rows]);
  /** Scores from one query on, by the name of weights that a pass need not trace. Undefined: of another name. */
  const weightsOf = (name: string) => {
    const i = Number(/^layers\.(\d+)\.attention\.weights$/.exec(name)?.[1] ?? NaN);
    const made =
      !ownMask || Number.isNaN(i) || whole.includes("weights") ? undefined : layerAttention(config, i);
    return made && plainScores(made, params.layers[i]!.attention);
  };
  const { hooks, tensors } = rowHooks(
    kept.filter((name) => !weightsOf(name)),
    pair,
    length,
  );
  const copies: Record<string, Pick<Tensor, "data" | "shape" | "dtype" | "device">> = {};
  for (const name of below(whole)) {
    const ofRows = hooks[name];
    hooks[name] = (x) => {
      const { data, shape, dtype, device } = x;
      // Tensors that leave the scope of a layer are freed late; their copies are in the scope of the caller.
      copies[name] = { data: data.slice(), shape, dtype, device };
      return ofRows?.(x, name);
    };
  }
  const plain = plainScores(attention, params.layers[layer]!.attention);
  for (const name of kept) readWeights(name);

  /** Computes the weights of the pair from queries and keys, where they are asked for: those of all rows are no kernel's. */
  function readWeights(name: string): void {
    const rowsOf = weightsOf(name);
    if (!rowsOf) return;
    const at = name.slice(0, -".weights".length);
    let asked: Tensor | undefined;
    hooks[`${at}.query`] = (x): undefined => void (asked = x);
    hooks[`${at}.key`] = (x): undefined => {
      const ofPair = pair.map((position) => {
        const end = config.bidirectional ? length : position + 1;
        const weights = slice(rowsOf(asked!, x, end, position)["weights"]!, 2, 0, 1);
        const { shape, dtype, device } = weights;
        const later = zeros([1, shape[1]!, 1, length - end], { dtype, device });
        return end === length ? weights : concat([weights, later], 3);
      });
      tensors[name] = resident(concat(ofPair, 2));
    };
  }
  // The dot products of a whole layer are no kernel's: one row is computed instead.
  const scores = plain && ownMask ? untilKeys(plain) : untilOutput();

  /** Scores of a pass that ends at the keys of the layer. */
  function untilKeys(scoresOf: NonNullable<typeof plain>): number[] {
    let asked: Tensor | undefined;
    const last = config.bidirectional ? length : Math.max(query, key) + 1;
    return until((end) => {
      const interventions = interventionsOf(model, {
        ...hooks,
        [`${at}.query`]: (x): undefined => void (asked = x),
        [`${at}.key`]: (x): never => {
          const traced = scoresOf(asked!, x, last, query);
          return end(scoreNames.map((name) => traced[name]!.data[head * (last - query) * last + key]!));
        },
      });
      model.apply(params, ids, { last: 1, trace: { names: [], tensors: {}, interventions } });
    });
  }

  /** Scores of a pass that ends at the output of the layer's attention. */
  function untilOutput(): number[] {
    const tensors: Record<string, Tensor> = {};
    until<undefined>((end) => {
      const names = scoreNames.map((name) => `${at}.${name}`) as TraceNames;
      const interventions = interventionsOf(model, {
        ...hooks,
        [`layers.${layer}.attentionOutput`]: (): never => end(undefined),
      });
      model.apply(params, ids, { last: 1, trace: { names, tensors, interventions } });
    });
    return scoreNames.map((name) => {
      const x = tensors[`${at}.${name}`]!;
      return slice(slice(x, 1, head, head + 1), 2, query, query + 1).data[key]!;
    });
  }

  const placed = Object.entries(copies).map(
    ([name, { data, ...like }]) => [name, tensor(data, like)] as const,
  );
  const residual = residualStream(model, { tensors, positions: pair, traced: "positions", heads: true });
  const side = (name: Side): ScoreSide => {
    const from = name === "query" ? layer : keyLayer;
    const position = name === "query" ? query : key;
    // The row at its position: the first or second that is followed.
    const row = (x: Tensor) => (name === "query" ? slice(x, 1, 0, 1) : slice(x, 1, 1, 2));
    const made = from === layer ? attention : layerAttention(config, from)!;
    const groups = "numKvHeads" in made.config ? H / made.config.numKvHeads : 1;
    const heads = { query: head, key: Math.floor(head / groups) };
    return {
      layer: from,
      position,
      parts: residual
        .attentionInput(from)
        .parts.map((part): ResidualPart => ({ ...part, value: row(part.value) })),
      vectors: (parts) =>
        vectorParts(name, made, params.layers[from]!.attention, parts, heads, { position, length }),
    };
  };
  const [dot, capped, score, weight] = scores as [number, number, number, number];
  return {
    query: side("query"),
    key: side("key"),
    scale: scaleOf(attention),
    numbers: {
      score,
      dot,
      weight,
      softcap: capped - dot,
      bias: Number.isFinite(score) ? score - capped : 0,
    },
    rows: tensors,
    whole: Object.fromEntries(placed),
  };
}

/** Names of the tensors of one score. */
const scoreNames = ["dots", "capped", "scores", "weights"] as const;

/**
 * Computes scores of queries and keys `[1, H, T, D]`: those from one query on, among the first keys.
 * Undefined for attention whose scores are more than those of its queries and keys.
 */
function plainScores({ config }: MadeAttention, params: AttentionParams) {
  if ("kvRank" in config || config.differential || config.memory) return undefined;
  const { mask, scoreMod, softcap, sinks, scale = config.qkNorm?.scale(config.headDim!) } = config;
  return (asked: Tensor, keys: Tensor, end: number, query: number): Readonly<Record<string, Tensor>> => {
    const [rows, read] = [slice(asked, 2, query, end), slice(keys, 2, 0, end)];
    const options = {
      ...(mask && { mask }),
      ...(scoreMod && { scoreMod }),
      ...(softcap !== undefined && { softcap }),
      ...(sinks && { sinks: sinks.logits(params.sinks, rows) }),
      ...(scale !== undefined && { scale }),
    };
    // Values are of no meaning here.
    const keyValues = { key: [read], value: [read], positions: { start: 0 } };
    return tracedAttention(rows, keyValues, options, scoreNames);
  };
}

type MadeAttention = NonNullable<ReturnType<typeof layerAttention>>;

/** The factor of dot products of a layer. */
function scaleOf({ config }: MadeAttention): number {
  if ("kvRank" in config) return config.scale ?? 1 / Math.sqrt(config.nopeDim + config.ropeDim);
  const { scale, qkNorm, headDim } = config;
  return scale ?? qkNorm?.scale(headDim!) ?? 1 / Math.sqrt(headDim!);
}

function refuseUnscored(check: Checks, layer: number): never {
  return check.refuse({
    argument: "place.layer",
    received: layer,
    expected: "a layer with attention of the decoder's own: this one has no scores of queries and keys",
    fix: "choose another layer.",
  });
}
