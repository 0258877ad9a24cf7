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
  /** True: projections add a bias. Default false. */
  bias?: boolean;
  /** Gates outputs of heads by x, before the output map: `outputGate()`. Default: off. */
  gate?: OutputGate;
  /** Subtracts the attention of half the heads from the others': `differential()`. Default: off. */
  differential?: Differential;
  /** Keys and values that the layer learns, before those of the sequence: `memoryKeys(4)`. Default: none. */
  memory?: MemoryKeys;
  /** Mixes values with those of the first layer: `valueResidual()`. Default: off. */
  valueResidual?: ValueResidual;
  /**
   * Computes projections. Default: `linear` of @qkv/tensor. A function that knows weights of other kinds, such
   * as those of 8 bits, takes params that hold them.
   */
  linear?: typeof linear;
};

export type ApplyOptions = {
  /**
   * Another sequence that keys and values come from, `[B, S, contextDim]`, or the same projected once with
   * `layer.keyValues(params, context)`. Default: x itself.
   */
  context?: Tensor | KeyValues;
  /** Keys and values of earlier tokens; this call's are appended. Default: the call stands alone. */
  cache?: Cache;
  /** Layer of the cache. Default 0. */
  layer?: number;
  /** Positions of the tokens. Default: after what the cache has seen. A cache of unrotated keys counts by itself. */
  positions?: Positions;
  /** Hides keys of this call besides what the layer hides: the padding of its batch. Default: nothing. */
  mask?: Mask;
  /** Added to the scores of this call: numbers broadcastable to `[B, H, T, S]`, or a rule. Default: nothing. */
  bias?: Tensor | ScoreMod;
  /**
   * Makes the bias of this call of its queries `[B, H, T, D]` and keys `[B, Hkv, T, D]`, as attention reads them, in place of `bias`
   * (DeBERTa). A call with a cache, a context or shared keys has none. Default: nothing.
   */
  contentBias?: (query: Tensor, key: Tensor) => Tensor | ScoreMod;
  /** Values of the first layer for these tokens, `[B, Hkv, T, D]`: needed by a layer with `valueResidual`. */
  firstValues?: Tensor;
  /**
   * Keys and values of these tokens and earlier ones that another layer made, as its cache holds them: this layer makes
   * none, appends nothing, and reads no weights for them. Default: the layer's own.
   */
  sharedKeyValues?: KeyValues;
  /** Drops weights, as the layer has `dropout`: in training, another seed each step. Default: nothing is dropped. */
  dropoutSeed?: number;
  /** Collects traced tensors. Default: nothing is traced. */
  trace?: Trace;
};

/** A layer: made from its configuration, holding no weights. */
export type AttentionLayer = {
  readonly config: GroupedQueryConfig & { headDim: number };
  /** Random weights: normal with variance 1 / fan-in; biases 0. */
  init(seed: number): AttentionParams;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: AttentionParams, x: Tensor, options?: ApplyOptions): Tensor;
  /** Keys and values of a context `[B, S, contextDim]`, for calls that all attend to it. */
  keyValues(params: AttentionParams, context: Tensor): KeyValues;
  /** Values of tokens x `[B, T, contextDim]`, `[B, Hkv, T, D]`: what `firstValues` of later layers is. */
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

/** The options of every attention layer. A function, since bundlers keep a list that spreads another. */
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

/** A grouped-query layer under the name of the function that makes it. Its options are known. */
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
  // Heads that the output map reads: pairs of a differential layer are half as many and twice as wide.
  const [outHeads, outDim] = differential ? [H / 2, 2 * D] : [H, D];
  const project = ({ weight, bias }: LinearParams, x: Tensor, heads: number): Tensor => {
    const B = x.shape[0]!;
    const T = x.shape[1]!;
    const rows = map(x, weight, bias);
    if (T === 1) return reshape(rows, [B, heads, 1, D]); // the same order
    return permute(reshape(rows, [B, T, heads, D]), [0, 2, 1, 3]); // [B, heads, T, D]
  };
  const valuesOf = (params: AttentionParams, x: Tensor): Tensor => {
    const value = project(params.value, x, Hkv); // [B, Hkv, S, D]
    return config.qkNorm?.value?.(value) ?? value;
  };
  const unturned: HeadsConfig = config.qkNorm ? { qkNorm: config.qkNorm } : {};
  const keyAndValue = (params: AttentionParams, x: Tensor, positions: Positions, unrotatedKeys = false) => ({
    // [B, Hkv, S, D]
    key: normalizeAndRotate(
      unrotatedKeys ? unturned : config,
      params,
      "key",
      project(params.key, x, Hkv),
      positions,
    ),
    value: valuesOf(params, x),
  });
  const keyValues = (params: AttentionParams, context: Tensor): KeyValues => {
    checkRows("keyValues", "context", context, contextDim, "contextDim");
    checkParams("keyValues", params, ["key", "value"]);
    checkPlaceless(config);
    const { key, value } = keyAndValue(params, context, { start: 0 });
    return { key: [key], value: [value], positions: { start: 0 } };
  };
  const maskOf = joinedMasks(config.mask);
  return {
    config: { ...config, headDim: D },
    keyValues,
    values(params, x) {
      checkRows("values", "x", x, contextDim, "contextDim");
      checkParams("values", params, ["value"]);
      return valuesOf(params, x);
    },
    init(seed) {
      const seeds = splitSeed(seed, ["query", "key", "value", "output"]);
      const more = splitSeed(seeds.output, ["gate", "differential", "memory"]); // the four above are as without them
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
      const makesNone = context !== undefined || sharedKeyValues !== undefined;
      checkParams("apply", params, makesNone ? ["query", "output"] : ["query", "key", "value", "output"]);
      if (sharedKeyValues !== undefined) checkShared(options, valueResidual);
      if (gate) checkParams("apply", params, ["gate"]);
      if (valueResidual) checkParams("apply", params, ["valueMix"]);
      checkFirstValues(valueResidual, options);
      const [B, T] = x.shape as [number, number, number];
      const places =
        options.positions ??
        (sharedKeyValues ? lastPositions(sharedKeyValues, B, T) : positionsAfter(cache, T));
      const query = project(params.query, x, H); // [B, H, T, D]
      const ready = (positions: Positions) => normalizeAndRotate(config, params, "query", query, positions);
      const own = (): { read: KeyValues; query: Tensor } => {
        if (contextDim !== C) checkRows("apply", "x", x, contextDim, "contextDim");
        const made = keyAndValue(params, x, places, cache?.unrotatedKeys);
        const { key } = made;
        const value = valueResidual
          ? valueResidual.mix(
              made.value,
              options.firstValues!,
              map(x, params.valueMix!.weight, params.valueMix!.bias),
            )
          : made.value;
        if (!cache) {
          return { read: { key: [key], value: [value], positions: { start: 0 } }, query: ready(places) };
        }
        if (cache.unrotatedKeys) return rotatedOnRead(cache.update(layer, key, value));
        const rotated = ready(places); // eviction scores read them
        return { read: cache.update(layer, key, value, rotated), query: rotated };
      };
      const rotatedOnRead = (held: KeyValues) => {
        if (config.qkNorm?.afterRope) refuseUnrotated();
        const { read, positions } = ropeOnRead(config.rope, held, B, T);
        return { read, query: ready(positions) };
      };
      const asked = (): { read: KeyValues; query: Tensor } => {
        if (sharedKeyValues) {
          if (cache?.unrotatedKeys) return rotatedOnRead(sharedKeyValues);
          return { read: sharedKeyValues, query: ready(places) };
        }
        if (!context) return own();
        checkPlaceless(config, cache);
        return { read: isTensor(context) ? keyValues(params, context) : context, query: ready(places) };
      };
      const { read: given, query: rotated } = asked();
      const held = memory ? memory.prepend(params.memory, given, B) : given;
      const read = differential ? differential.pairValues(held, B) : held;
      const bias = contentBias ? contentBias(rotated, read.key[0] as Tensor) : options.bias;
      const call = { trace, bias, mask: maskOf(options.mask), dropoutSeed };
      const heads = attendReady(config, params, rotated, read, call); // [B, H, T, D]
      const subtracted = differential ? differential.subtract(params.differential, heads) : heads;
      const mixed = gate
        ? gate.apply(subtracted, map(x, params.gate!.weight, params.gate!.bias))
        : subtracted;
      const rows = reshape(T === 1 ? mixed : permute(mixed, [0, 2, 1, 3]), [B, T, H * D]);
      return map(rows, params.output.weight, params.output.bias);
    },
  };
}

function refuseUnrotated(): never {
  return applying.refuse({
    argument: "cache",
    received: "a cache of unrotated keys",
    expected: "one of keys as they are: they are normalized after the rotation",
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

/** A bias of queries and keys has the keys of one call alone. */
function checkContentBias(options: ApplyOptions): void {
  applying.type({ contentBias: options.contentBias }, "function");
  const others = ["bias", "cache", "context", "sharedKeyValues"] as const;
  const beside = others.find((name) => options[name] !== undefined);
  if (beside === undefined) return;
  applying.refuse({
    argument: "contentBias",
    received: `beside \`${beside}\``,
    expected: "a call of its own queries and keys, without another bias",
    fix: "leave one of both out.",
  });
}

/** Keys and values of another layer stand in place of a context and of a layer's own values. */
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
      ? "leave one of both out: the layer makes no keys and values of its own."
      : "give `cache.read(layer)` of the layer that holds them, after it was applied to the same tokens.",
  });
}

/** Values of the first layer are given exactly where the layer mixes them, with values of its own. */
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

/** A context stands outside the sequence: it has no places in it, and does not grow with it. */
function checkPlaceless({ rope }: HeadsConfig, cache?: Cache): void {
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

/** Both maps of a differential layer come from as many query and KV heads. */
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
  check.whole({ embedDim, numHeads, numKvHeads, contextDim }, { min: 1, fix: "count heads and numbers." });
  check.each(
    { numKvHeads },
    () => numHeads % numKvHeads === 0,
    `a divisor of numHeads = ${numHeads}`,
    "each key-value head serves the same number of query heads.",
  );
  check.each(
    { headDim },
    () => Number.isInteger(headDim) && headDim >= 1,
    `a whole number, and embedDim = ${embedDim} divided by numHeads = ${numHeads} is none`,
    "choose numHeads to divide embedDim, or give headDim.",
  );
}
