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

/** Context of an attention: the width and norms of its model, and cross-attention. */
export type Place = {
  readonly embedDim: number;
  readonly norm: Norm;
  readonly rows: Rows;
  readonly role: "self" | "cross" | "encoder";
};

/** Per pair of query and key: the dot product, the weighted value, and about five for softmax. */
const flopsOfPair = (keyDim: number, valueDim: number) => 2 * keyDim + 2 * valueDim + 5;

/** The parts of an attention layer, from its input to its output projection. */
export function attentionParts(shape: AttentionShape, place: Place): Part[] {
  if (shape.kind === "heads") return headsParts(shape, place);
  return shape.kind === "latent" ? latentParts(shape, place) : stateParts(shape, place);
}

function headsParts(shape: HeadsAttention, { embedDim: C, norm: kind, rows, role }: Place): Part[] {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, biases, rotaryDim, outputGate, sharesKeyValues } = shape;
  const contextRows = role === "cross" ? sourceRows : rows;
  const normed = (name: string, heads: number, from: Rows): Part[] =>
    shape.queryKeyNorm === "none"
      ? []
      : shape.queryKeyNorm === "head"
        ? [norm(name, from, kind, D, heads)]
        : [norm(name, from, kind, heads * D)];
  // Four products and two sums for each pair of numbers that RoPE rotates.
  const rotated = (name: string, heads: number): Part[] =>
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
          product("attention value", contextRows, { inputs: C, outputs: Hkv * D, bias: biases.query }),
        ]),
    ...normed("attention query norm", H, rows),
    ...(sharesKeyValues ? [] : normed("attention key norm", Hkv, contextRows)),
    ...rotated("attention query rotary", H),
    ...(sharesKeyValues ? [] : rotated("attention key rotary", Hkv)),
    scoresOfHeads(shape, role),
    ...(outputGate ? [pointwise("attention output gate", rows, H * D, 2, 2)] : []),
    product("attention output", rows, { inputs: H * D, outputs: C, bias: biases.output }),
  ];
}

/** Scores, softmax and weighted sum of the values. */
function scoresOfHeads(shape: HeadsAttention, role: Place["role"]): Part {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, reach, sinks, sharesKeyValues, differential } = shape;
  // Of a difference, four vectors make the share of the second softmax, and a head weighs the values of two.
  const parameters = (sinks ? H : 0) + (differential ? 4 * D : 0);
  const valueDim = differential ? 2 * D : D;
  return {
    name: "attention scores",
    parameters,
    activeParameters: parameters,
    work(run) {
      const [T, S] = lengthsOf(run, role);
      const { batchSize: B } = run;
      const kept = 2 * Hkv * D; // numbers of one token in the cache
      const written =
        role === "encoder" || sharesKeyValues ? 0 : role === "cross" ? (run.encodes ? S : 0) : T;
      const read = T === 0 ? 0 : keysRead(reach, T, S) * kept * B;
      return {
        flops: B * H * countPairs(reach, T, S, run.tileSize) * flopsOfPair(D, valueDim),
        weights: parameters,
        activations: B * T * H * (D + valueDim) + (role === "encoder" ? read : 0),
        cache: (role === "encoder" ? 0 : read) + written * kept * B,
        calls: T > 0 && S > 0 ? 1 : 0,
      };
    },
  };
}

function lengthsOf({ queryLength, keyLength, sourceLength, encodes }: Run, role: Place["role"]) {
  if (role === "self") return [queryLength, keyLength] as const;
  if (role === "cross") return [queryLength, sourceLength] as const;
  // An encoder-only model reads the tokens of the call, an encoder-decoder those of the source.
  return sourceLength > 0
    ? ([encodes ? sourceLength : 0, encodes ? sourceLength : 0] as const)
    : ([queryLength, queryLength] as const);
}

function latentParts(shape: LatentAttention, { embedDim: C, norm: kind, rows }: Place): Part[] {
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
    scoresOfLatent(shape),
    product("attention output", rows, { inputs: H * valueDim, outputs: C }),
  ];
}

/** The indexer: its projections, and a score for each pair of query and key. */
function indexerParts(
  { queryRank, ropeDim, reach, indexer }: LatentAttention,
  { embedDim: C, rows }: Pick<Place, "embedDim" | "rows">,
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
          // Of each head a dot product, its part above 0, and its share of the sum.
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
 * Naive: keys and values of every head are expanded from the latent rows before attention. Absorbed: the projections
 * are applied to queries and outputs instead, and attention reads the latent rows themselves, as one key-value head.
 */
function scoresOfLatent(shape: LatentAttention): Part {
  const { numHeads: H, kvRank, nopeDim, ropeDim, valueDim, reach, indexer } = shape;
  const parameters = kvRank * H * (nopeDim + valueDim);
  return {
    name: "attention scores",
    parameters,
    activeParameters: parameters,
    work(run) {
      const { batchSize: B, queryLength: T, keyLength: S, tileSize, latent } = run;
      // Chosen keys are as many as those of a window of that size, but may be anywhere.
      const read: Reach = indexer ? { kind: "window", size: indexer.topK } : reach;
      const pairs = B * H * Math.min(countPairs(reach, T, S, tileSize), countPairs(read, T, S));
      const keys = Math.min(keysRead(reach, T, S), indexer ? T * indexer.topK : Infinity);
      const naive = 2 * B * keys * parameters + pairs * flopsOfPair(nopeDim + ropeDim, valueDim);
      const absorbed = 2 * B * T * parameters + pairs * flopsOfPair(kvRank + ropeDim, kvRank);
      const expands = latent === "naive" || (latent === "cheapest" && naive <= absorbed);
      const kept = kvRank + ropeDim;
      const expanded = 2 * B * keys * H * (nopeDim + valueDim);
      return {
        flops: expands ? naive : absorbed,
        weights: parameters,
        activations: B * T * H * (nopeDim + ropeDim + valueDim) + (expands ? expanded : 0),
        cache: B * kept * (keys + T),
        calls: expands ? 2 : 3,
      };
    },
  };
}

/** A mixer between projections: each token reads and writes the states of all heads. */
function stateParts(shape: StateAttention, { embedDim: C, rows }: Place): Part[] {
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

/** Numbers of a token that a convolution goes over: queries, keys and values, or values alone, of which the others are made. */
export function stateChannels(shape: StateAttention): number {
  const { numKeyHeads, numValueHeads, keyDim, valueDim, timeStepRank } = shape;
  const values = numValueHeads * valueDim;
  return timeStepRank === undefined ? 2 * numKeyHeads * keyDim + values : values;
}
