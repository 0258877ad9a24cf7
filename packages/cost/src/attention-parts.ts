import type {
  AttentionShape,
  HeadsAttention,
  LatentAttention,
  Norm,
  Reach,
  StateAttention,
} from "./model-shape.js";
import { mixerCost } from "./mixer-costs.js";
import { keysRead, countPairs } from "./pairs-seen.js";
import {
  norm,
  pointwise,
  product,
  sourceRows,
  tokenRows,
  tokenShift,
  type Part,
  type Rows,
  type Run,
} from "./part.js";

/** Context of an attention layer: the width and norm of its model, its rows, and its role. */
export type AttentionContext = {
  readonly embedDim: number;
  readonly norm: Norm;
  readonly rows: Rows;
  readonly role: "self" | "cross" | "encoder";
};

/** FLOPs per query-key pair: the dot product, the weighted sum of values, and 5 for the softmax. */
const pairFlops = (keyDim: number, valueDim: number) => 2 * keyDim + 2 * valueDim + 5;

/** The parts of an attention layer, from its input to its output projection. */
export function attentionParts(shape: AttentionShape, context: AttentionContext): Part[] {
  if (shape.kind === "heads") return headsParts(shape, context);
  return shape.kind === "latent" ? latentParts(shape, context) : stateParts(shape, context);
}

/** With `sharesKeyValues`, the layer reads the keys and values of an earlier layer, and computes none. */
function headsParts(
  shape: HeadsAttention,
  { embedDim: C, norm: kind, rows, role }: AttentionContext,
): Part[] {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, biases, rotaryDim, outputGate, sharesKeyValues } = shape;
  const contextRows = role === "cross" ? sourceRows : rows;
  const normParts = (name: string, heads: number, from: Rows): Part[] =>
    shape.queryKeyNorm === "none"
      ? []
      : shape.queryKeyNorm === "head"
        ? [norm(name, from, kind, D, heads)]
        : [norm(name, from, kind, heads * D)];
  // RoPE: 4 multiplications and 2 additions for each pair of elements, 3 FLOPs per element.
  const rotaryParts = (name: string, heads: number): Part[] =>
    rotaryDim === 0 ? [] : [pointwise(name, rows, heads * rotaryDim, 1, 3)];
  return [
    product("attention query", rows, {
      inputs: C,
      outputs: H * D * (outputGate ? 2 : 1),
      bias: biases.query,
    }),
    ...(sharesKeyValues
      ? []
      : [
          product("attention key", contextRows, { inputs: C, outputs: Hkv * D, bias: biases.key }),
          // Values have a bias if queries have one; keys may differ (Whisper).
          product("attention value", contextRows, { inputs: C, outputs: Hkv * D, bias: biases.query }),
        ]),
    ...normParts("attention query norm", H, rows),
    ...(sharesKeyValues ? [] : normParts("attention key norm", Hkv, contextRows)),
    ...rotaryParts("attention query rotary", H),
    ...(sharesKeyValues ? [] : rotaryParts("attention key rotary", Hkv)),
    scoresPart(shape, role),
    ...(outputGate ? [pointwise("attention output gate", rows, H * D, 2, 2)] : []),
    product("attention output", rows, { inputs: H * D, outputs: C, bias: biases.output }),
  ];
}

/** Scores, softmax and weighted sum of the values. */
function scoresPart(shape: HeadsAttention, role: AttentionContext["role"]): Part {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, reach, sinks, sharesKeyValues, differential } = shape;
  // Differential attention: λ comes from four vectors of D, and a head's values are those of two heads.
  const parameters = (sinks ? H : 0) + (differential ? 4 * D : 0);
  const valueDim = differential ? 2 * D : D;
  return {
    name: "attention scores",
    parameters,
    activeParameters: parameters,
    work(run) {
      const [T, S] = attentionLengths(run, role);
      const { batchSize: B } = run;
      const numbersPerToken = 2 * Hkv * D; // in the cache
      const written = writtenTokens(run, role, sharesKeyValues);
      const numbersRead = T === 0 ? 0 : keysRead(reach, T, S) * numbersPerToken * B;
      return {
        flops: B * H * countPairs(reach, T, S, run.tileSize) * pairFlops(D, valueDim),
        weights: parameters,
        activations: B * T * H * (D + valueDim) + (role === "encoder" ? numbersRead : 0),
        cache: (role === "encoder" ? 0 : numbersRead) + written * numbersPerToken * B,
        calls: T > 0 && S > 0 ? 1 : 0,
      };
    },
  };
}

/** Number of tokens whose keys and values a pass writes to the cache. */
function writtenTokens(
  { queryLength, sourceLength, encodes }: Run,
  role: AttentionContext["role"],
  sharesKeyValues = false,
) {
  if (role === "encoder" || sharesKeyValues) return 0;
  if (role === "cross") return encodes ? sourceLength : 0;
  return queryLength;
}

/** Query length and key length of a pass, in tokens. */
function attentionLengths(
  { queryLength, keyLength, sourceLength, encodes }: Run,
  role: AttentionContext["role"],
) {
  if (role === "self") return [queryLength, keyLength] as const;
  if (role === "cross") return [queryLength, sourceLength] as const;
  // The encoder of an encoder-decoder reads the source, an encoder-only model the tokens of the call.
  return sourceLength > 0
    ? ([encodes ? sourceLength : 0, encodes ? sourceLength : 0] as const)
    : ([queryLength, queryLength] as const);
}

function latentParts(shape: LatentAttention, { embedDim: C, norm: kind, rows }: AttentionContext): Part[] {
  const { numHeads: H, queryRank, kvRank, nopeDim, ropeDim, valueDim } = shape;
  const queryWidth = H * (nopeDim + ropeDim);
  const query =
    queryRank === null
      ? [product("attention query", rows, { inputs: C, outputs: queryWidth })]
      : [
          product("attention query down", rows, { inputs: C, outputs: queryRank }),
          norm("attention query norm", rows, kind, queryRank),
          product("attention query up", rows, { inputs: queryRank, outputs: queryWidth }),
        ];
  return [
    ...query,
    product("attention key-value down", rows, { inputs: C, outputs: kvRank + ropeDim }),
    norm("attention key-value norm", rows, kind, kvRank),
    pointwise("attention query rotary", rows, H * ropeDim, 1, 3),
    pointwise("attention key rotary", rows, ropeDim, 1, 3),
    ...indexerParts(shape, { embedDim: C, rows }),
    latentScoresPart(shape),
    product("attention output", rows, { inputs: H * valueDim, outputs: C }),
  ];
}

/** Parts of the lightning indexer: its projections, and a score for each query-key pair. */
function indexerParts(
  { queryRank, ropeDim, reach, indexer }: LatentAttention,
  { embedDim: C, rows }: Pick<AttentionContext, "embedDim" | "rows">,
): Part[] {
  if (!indexer) return [];
  const { numHeads: H, headDim: D } = indexer;
  return [
    product("index query", rows, { inputs: queryRank ?? C, outputs: H * D }),
    product("index key", rows, { inputs: C, outputs: D }),
    norm("index key norm", rows, "layer", D),
    product("index head weights", rows, { inputs: C, outputs: H }),
    pointwise("index rotary", rows, (H + 1) * ropeDim, 1, 3),
    {
      name: "index scores",
      parameters: 0,
      activeParameters: 0,
      work({ batchSize: B, queryLength: T, keyLength: S, tileSize }) {
        return {
          // For each head a dot product, a ReLU, and a weighted sum.
          flops: B * countPairs(reach, T, S, tileSize) * H * (2 * D + 3),
          weights: 0,
          activations: B * T * H * (D + 1),
          cache: B * D * (keysRead(reach, T, S) + T),
          calls: 2,
        };
      },
    },
  ];
}

/**
 * Scores of latent attention. Naive: the latent rows are expanded to keys and values of every head. Absorbed: the projections
 * are applied to queries and outputs instead, and the latent rows serve as the one key-value head of all query heads.
 */
function latentScoresPart(shape: LatentAttention): Part {
  const { numHeads: H, kvRank, nopeDim, ropeDim, valueDim, reach, indexer } = shape;
  const parameters = kvRank * H * (nopeDim + valueDim);
  return {
    name: "attention scores",
    parameters,
    activeParameters: parameters,
    work(run) {
      const { batchSize: B, queryLength: T, keyLength: S, tileSize, latent } = run;
      // The indexer selects at most topK keys per query, as many as a window of topK has.
      const indexedReach: Reach = indexer ? { kind: "window", size: indexer.topK } : reach;
      const pairs = B * H * Math.min(countPairs(reach, T, S, tileSize), countPairs(indexedReach, T, S));
      const keys = Math.min(keysRead(reach, T, S), indexer ? T * indexer.topK : Infinity);
      const naive = 2 * B * keys * parameters + pairs * pairFlops(nopeDim + ropeDim, valueDim);
      const absorbed = 2 * B * T * parameters + pairs * pairFlops(kvRank + ropeDim, kvRank);
      const isNaive = latent === "naive" || (latent === "cheapest" && naive <= absorbed);
      const numbersPerToken = kvRank + ropeDim;
      const expanded = 2 * B * keys * H * (nopeDim + valueDim);
      return {
        flops: isNaive ? naive : absorbed,
        weights: parameters,
        activations: B * T * H * (nopeDim + ropeDim + valueDim) + (isNaive ? expanded : 0),
        cache: B * numbersPerToken * (keys + T),
        calls: isNaive ? 2 : 3,
      };
    },
  };
}

/** Parts of a recurrent layer: projections, and a mixer whose states each token reads and writes. */
function stateParts(shape: StateAttention, { embedDim: C, rows }: AttentionContext): Part[] {
  const { mixer, numValueHeads: Hv, keyDim, valueDim, convolution, gates, learned, outputGate } = shape;
  const values = Hv * valueDim;
  const channels = stateChannels(shape);
  const head = { numHeads: Hv, keyDim, valueDim, ...(shape.taps !== undefined && { taps: shape.taps }) };
  const { ranks = [], shifts = 0, timeStepRank } = shape;
  return [
    ...(shifts > 0 ? [tokenShift("attention token shift", rows, C, shifts)] : []),
    ...ranks.flatMap((rank) => [
      product("attention gate down", rows, { inputs: C, outputs: rank }),
      product("attention gate up", rows, { inputs: rank, outputs: values }),
    ]),
    product(`attention query, key, value${outputGate ? ", gate" : ""}`, rows, {
      inputs: C,
      outputs: channels + (outputGate ? values : 0),
    }),
    ...(gates > 0 ? [product("attention decay and strength", rows, { inputs: C, outputs: gates })] : []),
    ...(convolution > 1
      ? [
          product("attention convolution", rows, {
            inputs: convolution,
            outputs: channels,
            bias: shape.convolutionBias,
          }),
        ]
      : []),
    ...(timeStepRank === undefined
      ? []
      : [
          product("attention key, query, time step", rows, {
            inputs: values,
            outputs: timeStepRank + 2 * keyDim,
          }),
          product("attention time step up", rows, { inputs: timeStepRank, outputs: values, bias: true }),
        ]),
    {
      name: "attention state",
      parameters: learned,
      activeParameters: learned,
      work(run) {
        const { batchSize, queryLength, keyLength } = run;
        const call = { ...head, batchSize, queryLength, contextLength: keyLength };
        const { flops, stateNumbers } = mixerCost(mixer, call);
        return {
          flops,
          weights: learned,
          activations: tokenRows(run) * (channels + values),
          cache: 2 * batchSize * (stateNumbers + (convolution - 1) * channels),
          calls: 1,
        };
      },
    },
    ...(shape.outputNorm === "head" ? [norm("attention state norm", rows, "rms", valueDim, Hv)] : []),
    ...(shape.outputNorm === "whole" ? [norm("attention state norm", rows, "rms", values)] : []),
    ...(shape.outputNorm === "layer" ? [norm("attention state norm", rows, "layer", values)] : []),
    ...(outputGate ? [pointwise("attention output gate", rows, values, 2, 2)] : []),
    product("attention output", rows, { inputs: values, outputs: C }),
  ];
}

/** Channels of a recurrent layer's convolution: queries, keys and values, or in Mamba only values. */
export function stateChannels(shape: StateAttention): number {
  const { numKeyHeads, numValueHeads, keyDim, valueDim, timeStepRank } = shape;
  const values = numValueHeads * valueDim;
  return timeStepRank === undefined ? 2 * numKeyHeads * keyDim + values : values;
}
