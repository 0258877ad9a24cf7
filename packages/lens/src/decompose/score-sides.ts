import { tracedAttention, type AttentionParams } from "@qkv/attention";
import type { Checks } from "@qkv/core";
import { concat, resident, slice, tensor, zeros, type Tensor } from "@qkv/tensor";
import { layerAttention } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { resolveHooks, runUntilEnd, type TraceNames } from "../run-with-trace.js";
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

/** One side of a score: parts of the row that its query or key is projected from. */
export type ScoreSide = {
  /** Layer whose attention projects the row. */
  readonly layer: number;
  readonly position: number;
  /** Parts of the row after the attention norm, `[1, 1, C]` each. */
  readonly parts: readonly ResidualPart[];
  /** Parts of the query or key from parts of the row. Norms have the scale for the sum of the given parts. */
  vectors(parts: readonly ResidualPart[]): VectorParts;
};

/** A score with its two sides, and tensors of the run. */
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
  /** Rows at the query's and the key's position, in this order, by full name; for layers up to that of the score. */
  readonly rows: Readonly<Record<string, Tensor>>;
  /** Tensors with all rows, by full name. */
  readonly whole: Readonly<Record<string, Tensor>>;
};

/**
 * Runs a model, and returns the two sides of one of its scores.
 *
 * @param options - `rows`: more names of tensors to trace at the two positions, in the layers up to that of the score.
 *   `whole`: names of tensors to trace with all rows. `layerMasksOnly`: true if attention applies no mask other than those of the
 *   layers; the pass then ends at the keys of the layer.
 */
export function scoreSides(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  place: ScorePlace,
  {
    rows = [],
    whole = [],
    layerMasksOnly = false,
  }: {
    readonly rows?: readonly string[];
    readonly whole?: readonly string[];
    readonly layerMasksOnly?: boolean;
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
  // Later layers do not affect the score: they are neither computed nor traced.
  const upToLayer = (wanted: readonly string[]) =>
    tensorNames(config).filter((name) => {
      const [, index] = /^layers\.(\d+)\./.exec(name) ?? [];
      const isBelow = index === undefined ? name !== "finalInput" : Number(index) <= layer;
      return isBelow && wanted.some((end) => `.${name}`.endsWith(`.${end}`));
    });
  const tracedNames = upToLayer([...residualNames, ...rows]);
  /** Computes rows of the weights with this name, which the pass then need not trace. Undefined for other names. */
  const weightComputer = (name: string) => {
    const i = Number(/^layers\.(\d+)\.attention\.weights$/.exec(name)?.[1] ?? NaN);
    const layerWithWeights =
      !layerMasksOnly || Number.isNaN(i) || whole.includes("weights") ? undefined : layerAttention(config, i);
    return layerWithWeights && scoreComputer(layerWithWeights, params.layers[i]!.attention);
  };
  const { hooks, tensors } = rowHooks(
    tracedNames.filter((name) => !weightComputer(name)),
    pair,
    length,
  );
  const copies: Record<string, Pick<Tensor, "data" | "shape" | "dtype" | "device">> = {};
  for (const name of upToLayer(whole)) {
    const rowHook = hooks[name];
    hooks[name] = (x) => {
      const { data, shape, dtype, device } = x;
      // Tensors returned from the scope of a layer are freed late; these copies belong to the scope of the caller.
      copies[name] = { data: data.slice(), shape, dtype, device };
      return rowHook?.(x, name);
    };
  }
  const computeScores = scoreComputer(attention, params.layers[layer]!.attention);
  for (const name of tracedNames) hookPairWeights(name);

  /** Computes the weights at the two positions from queries and keys: fused kernels do not return weights. */
  function hookPairWeights(name: string): void {
    const computeWeights = weightComputer(name);
    if (!computeWeights) return;
    const at = name.slice(0, -".weights".length);
    let queries: Tensor | undefined;
    hooks[`${at}.query`] = (x): undefined => void (queries = x);
    hooks[`${at}.key`] = (x): undefined => {
      const pairWeights = pair.map((position) => {
        const end = config.bidirectional ? length : position + 1;
        const weights = slice(computeWeights(queries!, x, end, position)["weights"]!, 2, 0, 1);
        const { shape, dtype, device } = weights;
        const zeroWeights = zeros([1, shape[1]!, 1, length - end], { dtype, device });
        return end === length ? weights : concat([weights, zeroWeights], 3);
      });
      tensors[name] = resident(concat(pairWeights, 2));
    };
  }
  // Fused kernels do not return scores: one row of them is computed here.
  const scores = computeScores && layerMasksOnly ? scoresAtKeys(computeScores) : scoresAtOutput();

  /** Runs a pass that ends at the keys of the layer, and computes the score from queries and keys. */
  function scoresAtKeys(compute: NonNullable<typeof computeScores>): number[] {
    let queries: Tensor | undefined;
    const last = config.bidirectional ? length : Math.max(query, key) + 1;
    return runUntilEnd((end) => {
      const interventions = resolveHooks(model, {
        ...hooks,
        [`${at}.query`]: (x): undefined => void (queries = x),
        [`${at}.key`]: (x): never => {
          const traced = compute(queries!, x, last, query);
          return end(scoreNames.map((name) => traced[name]!.data[head * (last - query) * last + key]!));
        },
      });
      model.apply(params, ids, { last: 1, trace: { names: [], tensors: {}, interventions } });
    });
  }

  /** Runs a pass that ends at the output of the layer's attention, and reads the score from its trace. */
  function scoresAtOutput(): number[] {
    const tensors: Record<string, Tensor> = {};
    runUntilEnd<undefined>((end) => {
      const names = scoreNames.map((name) => `${at}.${name}`) as TraceNames;
      const interventions = resolveHooks(model, {
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

  const fullTensors = Object.entries(copies).map(
    ([name, { data, ...like }]) => [name, tensor(data, like)] as const,
  );
  const residual = residualStream(model, { tensors, positions: pair, traced: "positions", heads: true });
  const side = (name: Side): ScoreSide => {
    const projectionLayer = name === "query" ? layer : keyLayer;
    const position = name === "query" ? query : key;
    // The query's row is the first, the key's the second.
    const row = (x: Tensor) => (name === "query" ? slice(x, 1, 0, 1) : slice(x, 1, 1, 2));
    const sideAttention = projectionLayer === layer ? attention : layerAttention(config, projectionLayer)!;
    const groups = "numKvHeads" in sideAttention.config ? H / sideAttention.config.numKvHeads : 1;
    const heads = { query: head, key: Math.floor(head / groups) };
    return {
      layer: projectionLayer,
      position,
      parts: residual
        .attentionInput(projectionLayer)
        .parts.map((part): ResidualPart => ({ ...part, value: row(part.value) })),
      vectors: (parts) =>
        vectorParts(name, sideAttention, params.layers[projectionLayer]!.attention, parts, heads, {
          position,
          length,
        }),
    };
  };
  const [dot, capped, score, weight] = scores as [number, number, number, number];
  return {
    query: side("query"),
    key: side("key"),
    scale: attentionScale(attention),
    numbers: {
      score,
      dot,
      weight,
      softcap: capped - dot,
      bias: Number.isFinite(score) ? score - capped : 0,
    },
    rows: tensors,
    whole: Object.fromEntries(fullTensors),
  };
}

/** Traced tensors of attention, in the order of computation. */
const scoreNames = ["dots", "capped", "scores", "weights"] as const;

/**
 * A function that computes scores of queries and keys `[1, H, T, D]`, from the query at position `query` on, for the first
 * `end` keys. Undefined for attention whose scores need more than its queries and keys.
 */
function scoreComputer({ config }: LayerAttention, params: AttentionParams) {
  if ("kvRank" in config || config.differential || config.memory) return undefined;
  const { mask, scoreMod, softcap, sinks, scale = config.qkNorm?.scale(config.headDim!) } = config;
  return (queries: Tensor, keys: Tensor, end: number, query: number): Readonly<Record<string, Tensor>> => {
    const [rows, visibleKeys] = [slice(queries, 2, query, end), slice(keys, 2, 0, end)];
    const options = {
      ...(mask && { mask }),
      ...(scoreMod && { scoreMod }),
      ...(softcap !== undefined && { softcap }),
      ...(sinks && { sinks: sinks.logits(params.sinks, rows) }),
      ...(scale !== undefined && { scale }),
    };
    // Only scores are traced, so any values do.
    const keyValues = { key: [visibleKeys], value: [visibleKeys], positions: { start: 0 } };
    return tracedAttention(rows, keyValues, options, scoreNames);
  };
}

type LayerAttention = NonNullable<ReturnType<typeof layerAttention>>;

/** Scale of the dot products of a layer. */
function attentionScale({ config }: LayerAttention): number {
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
