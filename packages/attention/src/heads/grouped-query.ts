import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  type Cache,
  type KeyValues,
  type Mask,
  positionsAfter,
  type ScoreMod,
} from "@qkv/attention-contract";
import {
  checkTensor,
  isTensor,
  linear,
  mul,
  ones,
  permute,
  randn,
  reshape,
  splitSeed,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import type { Positions } from "../positions/places-of.js";
import {
  normalizeAndRotate,
  attendReady,
  checkHeads,
  checkMade,
  checkTrace,
  checkParams,
  headsOptions,
  type HeadsConfig,
  type HeadsParams,
  type Trace,
} from "./attend-heads.js";
import type { Differential, DifferentialParams } from "./differential.js";
import type { MemoryKeys, MemoryKeysParams } from "./memory-keys.js";
import { joinedMasks } from "./joined-masks.js";
import type { OutputGate } from "./output-gate.js";
import type { QkNorm } from "./qk-norm.js";
import { lastPositions, ropeOnRead } from "./rope-on-read.js";
import type { ValueResidual } from "./value-residual.js";

/** One projection: `y = x Wᵀ + b`. */
export type LinearParams = { weight: Tensor; bias?: Tensor };

/** The weights of an attention layer. Rows of a projection are heads one after the other, `h · D + d`. */
export type AttentionParams = HeadsParams & {
  /** `[H · D, C]` */
  query: LinearParams;
  /** `[Hkv · D, C]`, or as wide as the context. */
  key: LinearParams;
  /** `[Hkv · D, C]`, or as wide as the context. */
  value: LinearParams;
  /** `[C, H · D]` */
  output: LinearParams;
  /** Logits of `gate`, `[H · D, C]`, or `[H, C]` where it gates heads. */
  gate?: LinearParams;
  /** Vectors of `differential`, `[D]` each. */
  differential?: DifferentialParams;
  /** Keys and values of `memory`, `[Hkv, M, D]`. */
  memory?: MemoryKeysParams;
  /** Logits of `valueResidual`, `[Hkv, C]`. */
  valueMix?: LinearParams;
};

/** Configuration of an attention layer. */
export type GroupedQueryConfig = HeadsConfig & {
  /** C, the width of the model. */
  embedDim: number;
  /** H, the number of query heads. */
  numHeads: number;
  /** Hkv, the number of key-value heads, a divisor of H. */
  numKvHeads: number;
  /** D, the size of one head. Default: C / H. */
  headDim?: number;
  /** The width of what keys and values come from. Default: C. */
  contextDim?: number;
  /** True if the projections have biases. Default false. */
  bias?: boolean;
  /** Multiplies the outputs of the heads by gates computed from x: `outputGate()`. Default: off. */
  gate?: OutputGate;
  /** Subtracts the attention of the second half of the heads from that of the first: `differential()`. Default: off. */
  differential?: Differential;
  /** Learned keys and values, before those of the sequence: `memoryKeys(4)`. Default: none. */
  memory?: MemoryKeys;
  /** Mixes values with those of the first layer: `valueResidual()`. Default: off. */
  valueResidual?: ValueResidual;
  /**
   * Function that computes projections, for params with weights of other kinds, such as 8-bit weights. Default: `linear` of
   * @qkv/tensor.
   */
  linear?: typeof linear;
};

export type ApplyOptions = {
  /**
   * Another sequence from which keys and values are computed, `[B, S, contextDim]`, or the result of
   * `layer.keyValues(params, context)`. Default: x itself.
   */
  context?: Tensor | KeyValues;
  /** Cache with the keys and values of earlier tokens, to which those of this call are appended. Default: no cache. */
  cache?: Cache;
  /** Layer of the cache. Default 0. */
  layer?: number;
  /** Positions of the tokens. Default: after the tokens that the cache has seen. A cache of unrotated keys counts by itself. */
  positions?: Positions;
  /** Another mask for this call, which is combined with the layer's mask, such as `padding(lengths)`. Default: none. */
  mask?: Mask;
  /** Added to the scores of this call: numbers broadcastable to `[B, H, T, S]`, or a rule. Default: nothing. */
  bias?: Tensor | ScoreMod;
  /**
   * Computes the bias of this call from its queries `[B, H, T, D]` and keys `[B, Hkv, T, D]` after normalization and rotation, in
   * place of `bias` (DeBERTa). Not allowed with a cache, a context or shared keys. Default: none.
   */
  contentBias?: (query: Tensor, key: Tensor) => Tensor | ScoreMod;
  /** Values of the first layer for these tokens, `[B, Hkv, T, D]`. Required by layers with `valueResidual`. */
  firstValues?: Tensor;
  /**
   * Keys and values of these tokens and earlier ones, computed by another layer and read from its cache (cross-layer KV sharing).
   * This layer then computes and caches none, and needs no weights for them. Default: the layer's own keys and values.
   */
  sharedKeyValues?: KeyValues;
  /** Seed of the layer's `dropout`, for training: pass another one at each step. Default: no dropout. */
  dropoutSeed?: number;
  /** Collects traced tensors. Default: nothing is traced. */
  trace?: Trace;
};

/** A layer: created from its configuration. It holds no weights: params are passed to each call. */
export type AttentionLayer = {
  readonly config: GroupedQueryConfig & { headDim: number };
  /** Random weights: normal with variance 1 / fan-in; biases 0. */
  init(seed: number): AttentionParams;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: AttentionParams, x: Tensor, options?: ApplyOptions): Tensor;
  /** Projects a context `[B, S, contextDim]` to keys and values, for several calls that attend to it. */
  keyValues(params: AttentionParams, context: Tensor): KeyValues;
  /** Projects x `[B, T, contextDim]` to values `[B, Hkv, T, D]`: the option `firstValues` of later layers. */
  values(params: AttentionParams, x: Tensor): Tensor;
};

/**
 * Grouped-query attention: `H` query heads share `Hkv` key-value heads, each of which serves `H / Hkv` adjacent query
 * heads. The cache holds `Hkv` heads instead of `H`. `Hkv = H` gives multi-head attention, `Hkv = 1` multi-query
 * attention.
 *
 * @throws {ArgumentError} If the sizes do not divide.
 * @see "GQA: Training Generalized Multi-Query Transformer Models" (2023), arXiv:2305.13245
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, groupedQuery } from "@qkv/attention";
 *
 * const layer = groupedQuery({ embedDim: 64, numHeads: 8, numKvHeads: 2, mask: causal() });
 * const params = layer.init(1);
 * params.key.weight.shape; // => [16, 64]
 * layer.apply(params, randn([1, 5, 64], { seed: 2 })).shape; // => [1, 5, 64]
 * ```
 */
export function groupedQuery(config: GroupedQueryConfig): AttentionLayer {
  return attentionLayer(
    "groupedQuery",
    checks("groupedQuery").options(config, [...layerOptions(), "numKvHeads"], "config"),
  );
}

/** The option names of every attention layer. A function, since bundlers cannot remove an unused list that spreads another. */
export const layerOptions = () =>
  [
    ...headsOptions,
    "embedDim",
    "numHeads",
    "headDim",
    "contextDim",
    "bias",
    "gate",
    "differential",
    "memory",
    "valueResidual",
    "linear",
  ] as const;

/** Creates a grouped-query layer for the public function `fn`, which errors name. The option names are already checked. */
export function attentionLayer(fn: string, config: GroupedQueryConfig): AttentionLayer {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, contextDim = C, linear: map = linear } = config;
  const D = config.headDim ?? C / H;
  const check: Checks = checks(fn);
  checkSizes(check, { embedDim: C, numHeads: H, numKvHeads: Hkv, headDim: D, contextDim });
  check.type({ bias: config.bias ?? false }, "boolean");
  check.type({ linear: map }, "function");
  checkHeads(check, config, H);
  const { gate, differential, memory, valueResidual } = config;
  checkMade(check, { gate }, "width", "outputGate()");
  checkMade(check, { differential }, "subtract", "differential()");
  checkMade(check, { memory }, "prepend", "memoryKeys(4)");
  checkMade(check, { valueResidual }, "mix", "valueResidual()");
  if (differential) checkPairs(check, { numHeads: H, numKvHeads: Hkv });
  // Heads before the output projection: in a differential layer, pairs of heads, half as many and twice as wide.
  const [outHeads, outDim] = differential ? [H / 2, 2 * D] : [H, D];
  const project = ({ weight, bias }: LinearParams, x: Tensor, heads: number): Tensor => {
    const B = x.shape[0]!;
    const T = x.shape[1]!;
    const rows = map(x, weight, bias);
    if (T === 1) return reshape(rows, [B, heads, 1, D]); // for one token, no transposition is needed
    return permute(reshape(rows, [B, T, heads, D]), [0, 2, 1, 3]); // [B, heads, T, D]
  };
  const projectValues = (params: AttentionParams, x: Tensor): Tensor => {
    const value = project(params.value, x, Hkv); // [B, Hkv, S, D]
    return config.qkNorm?.value?.(value) ?? value;
  };
  const withoutRope: HeadsConfig = config.qkNorm ? { qkNorm: config.qkNorm } : {};
  const keyAndValue = (params: AttentionParams, x: Tensor, positions: Positions, unrotatedKeys = false) => ({
    // [B, Hkv, S, D]
    key: normalizeAndRotate(
      unrotatedKeys ? withoutRope : config,
      params,
      "key",
      project(params.key, x, Hkv),
      positions,
    ),
    value: projectValues(params, x),
  });
  const keyValues = (params: AttentionParams, context: Tensor): KeyValues => {
    checkRows("keyValues", "context", context, contextDim, "contextDim");
    checkParams("keyValues", params, ["key", "value"]);
    checkContextOptions(config);
    const { key, value } = keyAndValue(params, context, { start: 0 });
    return { key: [key], value: [value], positions: { start: 0 } };
  };
  const combineMask = joinedMasks(config.mask);
  return {
    config: { ...config, headDim: D },
    keyValues,
    values(params, x) {
      checkRows("values", "x", x, contextDim, "contextDim");
      checkParams("values", params, ["value"]);
      return projectValues(params, x);
    },
    init(seed) {
      const seeds = splitSeed(seed, ["query", "key", "value", "output"]);
      const more = splitSeed(seeds.output, ["gate", "differential", "memory"]); // from their own seed: the four weights above do not change with these options
      const make = (seed: number, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
        ...(config.bias && { bias: zeros([out]) }),
      });
      const sinks = config.sinks?.init(H);
      return {
        query: make(seeds.query, H * D, C),
        key: make(seeds.key, Hkv * D, contextDim),
        value: make(seeds.value, Hkv * D, contextDim),
        output: make(seeds.output, C, H * D),
        ...(gate && { gate: make(more.gate, gate.width(outHeads, outDim), C) }),
        ...(differential && { differential: differential.init(D, more.differential) }),
        ...(memory && { memory: memory.init(Hkv, D, more.memory) }),
        ...(valueResidual && { valueMix: { weight: zeros([Hkv, C]) } }),
        ...(config.qkNorm &&
          !config.qkNorm.gainless && {
            queryNorm: { weight: ones(gainShape(config.qkNorm, H, D)) },
            keyNorm: { weight: ones(gainShape(config.qkNorm, Hkv, D)) },
          }),
        ...(sinks && { sinks }),
      };
    },
    apply(params, x, called) {
      const options = applying.options(called, callOptions);
      const { cache, context, layer = 0, trace, sharedKeyValues, dropoutSeed, contentBias } = options;
      if (contentBias !== undefined) checkContentBias(options);
      checkTrace(applying, trace);
      checkRows("apply", "x", x, C, "embedDim");
      const hasOtherKeys = context !== undefined || sharedKeyValues !== undefined;
      checkParams("apply", params, hasOtherKeys ? ["query", "output"] : ["query", "key", "value", "output"]);
      if (sharedKeyValues !== undefined) checkShared(options, valueResidual);
      if (gate) checkParams("apply", params, ["gate"]);
      if (valueResidual) checkParams("apply", params, ["valueMix"]);
      checkFirstValues(valueResidual, options);
      const [B, T] = x.shape as [number, number, number];
      const positions =
        options.positions ??
        (sharedKeyValues ? lastPositions(sharedKeyValues, B, T) : positionsAfter(cache, T));
      const query = project(params.query, x, H); // [B, H, T, D]
      const rotateQuery = (positions: Positions) =>
        normalizeAndRotate(config, params, "query", query, positions);
      /** Keys and values projected from x, after those of the cache, and the rotated query. */
      const fromX = (): { source: KeyValues; query: Tensor } => {
        if (contextDim !== C) checkRows("apply", "x", x, contextDim, "contextDim");
        const projected = keyAndValue(params, x, positions, cache?.unrotatedKeys);
        const { key } = projected;
        const value = valueResidual
          ? valueResidual.mix(
              projected.value,
              options.firstValues!,
              map(x, params.valueMix!.weight, params.valueMix!.bias),
            )
          : projected.value;
        if (!cache) {
          const source: KeyValues = { key: [key], value: [value], positions: { start: 0 } };
          return { source, query: rotateQuery(positions) };
        }
        if (cache.unrotatedKeys) return rotateOnRead(cache.update(layer, key, value));
        const rotated = rotateQuery(positions); // the cache needs it for eviction scores
        return { source: cache.update(layer, key, value, rotated), query: rotated };
      };
      const rotateOnRead = (unrotated: KeyValues) => {
        if (config.qkNorm?.afterRope) refuseUnrotated();
        const { rotated, positions } = ropeOnRead(config.rope, unrotated, B, T);
        return { source: rotated, query: rotateQuery(positions) };
      };
      /** Keys and values of this call, whatever their source, and the rotated query. */
      const inputs = (): { source: KeyValues; query: Tensor } => {
        if (sharedKeyValues) {
          if (cache?.unrotatedKeys) return rotateOnRead(sharedKeyValues);
          return { source: sharedKeyValues, query: rotateQuery(positions) };
        }
        if (!context) return fromX();
        checkContextOptions(config, cache);
        const source = isTensor(context) ? keyValues(params, context) : context;
        return { source, query: rotateQuery(positions) };
      };
      const { source, query: rotated } = inputs();
      const withMemory = memory ? memory.prepend(params.memory, source, B) : source;
      const attended = differential ? differential.pairValues(withMemory, B) : withMemory;
      const bias = contentBias ? contentBias(rotated, attended.key[0] as Tensor) : options.bias;
      const call = { trace, bias, mask: combineMask(options.mask), dropoutSeed };
      const heads = attendReady(config, params, rotated, attended, call); // [B, H, T, D]
      const subtracted = differential ? differential.subtract(params.differential, heads) : heads;
      const gated = gate
        ? gate.apply(subtracted, map(x, params.gate!.weight, params.gate!.bias))
        : subtracted;
      const rows = reshape(T === 1 ? gated : permute(gated, [0, 2, 1, 3]), [B, T, H * D]);
      return map(rows, params.output.weight, params.output.bias);
    },
  };
}

function refuseUnrotated(): never {
  return applying.refuse({
    argument: "cache",
    received: "a cache of unrotated keys",
    expected: "one of rotated keys, since keys are normalized after the rotation",
    fix: "make the cache without `unrotatedKeys`.",
  });
}

const gainShape = (norm: QkNorm, numHeads: number, headDim: number): readonly number[] =>
  norm.gain?.(numHeads, headDim) ?? [headDim];

const applying = /* @__PURE__ */ checks("apply");
const callOptions = [
  "context",
  "cache",
  "layer",
  "positions",
  "mask",
  "bias",
  "contentBias",
  "firstValues",
  "sharedKeyValues",
  "dropoutSeed",
  "trace",
] as const;

/** Refuses `contentBias` together with `bias`, a cache, a context or shared keys: it is computed from the keys of one call. */
function checkContentBias(options: ApplyOptions): void {
  applying.type({ contentBias: options.contentBias }, "function");
  const others = ["bias", "cache", "context", "sharedKeyValues"] as const;
  const beside = others.find((name) => options[name] !== undefined);
  if (beside === undefined) return;
  applying.refuse({
    argument: "contentBias",
    received: `beside \`${beside}\``,
    expected: "a call of its own queries and keys, without another bias",
    fix: `give either \`contentBias\` or \`${beside}\`, not both.`,
  });
}

/** Refuses `sharedKeyValues` together with a context, or in a layer with `valueResidual`. */
function checkShared({ sharedKeyValues, context }: ApplyOptions, residual: ValueResidual | undefined): void {
  const { key, value } = (sharedKeyValues ?? {}) as Partial<KeyValues>;
  const isKeyValues = Array.isArray(key) && Array.isArray(value);
  if (isKeyValues && context === undefined && !residual) return;
  applying.refuse({
    argument: "sharedKeyValues",
    received: !isKeyValues ? sharedKeyValues : context ? "beside a context" : "beside a valueResidual",
    expected: isKeyValues
      ? "keys and values of another layer alone"
      : "keys and values, as a cache gives them: { key, value, positions }",
    fix: isKeyValues
      ? `call the layer without \`${context ? "context" : "valueResidual"}\`: it computes no keys and values of its own beside \`sharedKeyValues\`.`
      : "give `cache.read(layer)` of the layer that holds them, after it was applied to the same tokens.",
  });
}

/** Refuses `firstValues` in a layer without `valueResidual`; in one with it, refuses a call without them or with a context. */
function checkFirstValues(residual: ValueResidual | undefined, { firstValues, context }: ApplyOptions): void {
  if (!residual === !firstValues && !(residual && context)) return;
  applying.refuse({
    argument: "firstValues",
    received: context && firstValues ? "beside a context" : firstValues && "a tensor",
    expected: residual
      ? "values of the first layer for x, as the layer has a valueResidual"
      : "no such option, as the layer has no valueResidual",
    fix: residual
      ? "give `first.values(params, x)` of the first layer."
      : "make the layer with `valueResidual: valueResidual()`.",
  });
}

function checkRows(fn: string, argument: string, x: Tensor, width: number, name: string): void {
  const { shape } = checkTensor(fn, argument, x);
  if (shape.length === 3 && shape[2] === width) return;
  checks(fn).refuse(
    {
      argument,
      received: shape,
      expected: `[B, ${argument === "x" ? "T" : "S"}, ${width}], as ${name} is ${width}`,
      fix:
        argument === "x" && name === "contextDim"
          ? "give the sequence that keys and values come from as `context`."
          : "give batches of rows as wide as the layer.",
    },
    ShapeError,
  );
}

/** Refuses a rotary embedding or a cache together with a context, which has no positions in the sequence and does not grow with it. */
function checkContextOptions({ rope }: HeadsConfig, cache?: Cache): void {
  if (!rope && !cache) return;
  applying.refuse({
    argument: "context",
    received: rope ? `beside ${rope.name}` : "beside a cache",
    expected: rope ? "a layer without rope" : "a context or a cache",
    fix: rope
      ? "leave `rope` out: distances between two sequences mean nothing."
      : "project a context once with `layer.keyValues(params, context)` and give that.",
  });
}

/** Refuses an odd number of query or key-value heads in a differential layer, whose heads form pairs. */
function checkPairs(check: Checks, sizes: { numHeads: number; numKvHeads: number }): void {
  for (const [name, size] of Object.entries(sizes))
    check.each(
      { [name]: size },
      () => size % 2 === 0,
      "an even number, as the layer is differential",
      "pair each head with another, or leave `differential` out.",
    );
}

function checkSizes(
  check: Checks,
  sizes: { embedDim: number; numHeads: number; numKvHeads: number; headDim: number; contextDim: number },
): void {
  const { embedDim, numHeads, numKvHeads, headDim, contextDim } = sizes;
  check.whole({ embedDim, numHeads, numKvHeads, contextDim }, { min: 1 });
  check.each(
    { numKvHeads },
    () => numHeads % numKvHeads === 0,
    `a divisor of numHeads = ${numHeads}`,
    "each key-value head serves the same number of query heads.",
  );
  check.each(
    { headDim },
    () => Number.isInteger(headDim) && headDim >= 1,
    `an integer, and embedDim = ${embedDim} divided by numHeads = ${numHeads} is none`,
    "choose numHeads to divide embedDim, or give headDim.",
  );
}
