import { checks, type Checks } from "@qkv/core";
import type {
  AttentionParams,
  CrossAttentionLayer,
  DocumentIds,
  Positions,
  ScoreMod,
  Trace,
} from "@qkv/attention";
import type { Cache, KeyValues, Mask } from "@qkv/attention-contract";
import { add, checkTensor, dropout, mul, splitSeed, type Tensor } from "@qkv/tensor";
import { checkParams } from "./check-params.js";
import type { FirstLayer } from "./first-layer.js";
import type { Laurel, LaurelParams } from "./laurel.js";
import type { NormParams, Norm } from "./norm.js";
import { attentionTrace, isWanted, recordTensor, type ModelTrace } from "./trace.js";

/**
 * Placement of the norms of a layer. `pre`: `x + f(norm x)` (GPT-2, Llama). `post`: `norm(x + f(x))` (the first
 * transformer, BERT). `both`: `x + norm(f(norm x))` (Gemma 2). `after`: `x + norm(f(x))` (OLMo 2). `parallel`: attention
 * and the feed-forward layer both read x, `x + a(norm x) + f(norm' x)` (GPT-NeoX). `parallelShared`: the same with one norm
 * (GPT-J, Falcon, Cohere). `normed`: `norm x + f(norm x)` (MiniMax).
 */
export type Placement = (typeof placements)[number];

const placements = ["pre", "post", "both", "after", "parallel", "parallelShared", "normed"] as const;

/**
 * A layer that processes each token separately: `feedForward(…)`, `mixtureOfExperts(…)`, or a custom layer. With `recurrent` it
 * also depends on earlier tokens, as RWKV's channel mixing.
 */
export type TokenLayer<Params> = {
  /** True: the cache holds a state for it, in the cache layer after that of attention, which must be recurrent as well. */
  readonly recurrent?: boolean;
  init(seed: number): Params;
  /** `[B, T, C]` to `[B, T, C]`. `options`: for a layer with a state, and for tracing neurons. */
  apply(params: Params, x: Tensor, options?: TokenLayerOptions): Tensor;
};

/** A token-mixing layer: `multiHead(…)`, `latent(…)`, `mixerLayer(…)`, or a custom layer. */
export type SequenceLayer<Params = AttentionParams> = {
  /** True: the cache holds a state for it instead of keys and values; it has no scores to trace. */
  readonly recurrent?: boolean;
  /** True: it stores its values in `firstLayer`, or mixes its own with the stored ones. */
  readonly valueResidual?: boolean;
  init(seed: number): Params;
  /** `[B, T, C]` to `[B, T, C]`, for tokens after those in the cache. */
  apply(params: Params, x: Tensor, options?: SequenceLayerOptions): Tensor;
};

/** Options that a transformer layer passes to attention. */
export type SequenceLayerOptions = Omit<
  TransformerLayerOptions,
  "memory" | "memoryMask" | "memoryBias" | "finish" | "trace"
> & {
  trace?: Trace;
};

/** Options that a transformer layer passes to its feed-forward layer. */
export type TokenLayerOptions = Omit<SequenceLayerOptions, "trace"> & { trace?: ModelTrace };

/** The sublayers and options of a transformer layer. */
export type TransformerLayerConfig<Inner, Attention = AttentionParams> = {
  /** Self-attention, or a mixer in its place. Optional if there is `feedForward`. */
  attention?: SequenceLayer<Attention>;
  /** Cross-attention to another sequence, such as the encoder output, between the other sublayers. Default: none. */
  crossAttention?: Pick<CrossAttentionLayer, "init" | "apply">;
  /** Optional if there is `attention`: in Mamba a layer has only a mixer. */
  feedForward?: TokenLayer<Inner>;
  norm: Norm;
  /** Default `pre`. */
  placement?: Placement;
  /** Multiplies the outputs of attention and feed-forward layer before they are added to x. Default 1; Granite has less. */
  residualScale?: number;
  /**
   * Dropout rate of the outputs of attention and feed-forward layer, for calls with `dropoutSeed`, from 0 to below 1.
   * Attention weights have a separate `dropout`. Default 0.
   */
  dropout?: number;
  /** LAuReL, a learned residual parallel to attention, for the placements `pre` and `both` (Gemma 3n). Default: none. */
  laurel?: Laurel;
};

export type TransformerLayerParams<Inner, Attention = AttentionParams> = {
  /** With the placement `parallelShared`: the norm of both sublayers. Absent without `attention`. */
  attentionNorm: NormParams;
  /** Absent in a layer that has none. */
  attention: Attention;
  /** With the placement `both`: the norm of the attention output. */
  attentionOutNorm?: NormParams;
  crossAttentionNorm?: NormParams;
  crossAttention?: AttentionParams;
  crossAttentionOutNorm?: NormParams;
  /** Absent with the placement `parallelShared`, which has one norm, and without `feedForward`. */
  feedForwardNorm: NormParams;
  /** Absent in a layer that has none. */
  feedForward: Inner;
  /** With the placement `both`: the norm of the feed-forward output. */
  feedForwardOutNorm?: NormParams;
  /** Params of LAuReL, with `laurel`. */
  laurel?: LaurelParams;
};

export type TransformerLayerOptions = {
  /** Keys and values of earlier tokens; those of this call are appended. Default: no cache. */
  cache?: Cache;
  /** Index of the layer in the cache. Default 0. */
  layer?: number;
  /** Positions of the tokens. Default: after those in the cache. */
  positions?: Positions;
  /** Masks keys of this call, such as padding. Layers with a state use `documents` and `padding` instead. Default: none. */
  mask?: Mask;
  /** Document of each token, `[T]` or `[B][T]`, for a layer with a state, which is reset at each document. Default: one document. */
  documents?: DocumentIds;
  /** Number of tokens of each batch without padding, for a layer with a state. Default: no padding. */
  padding?: ArrayLike<number>;
  /** One object for all layers of a call, for layers with `valueResidual`. Default: none. */
  firstLayer?: FirstLayer;
  /** Added to the scores of this call. Default: nothing. */
  bias?: Tensor | ScoreMod;
  /** The other sequence of cross-attention, `[B, S, C]`, or its keys and values. */
  memory?: Tensor | KeyValues;
  /** Masks keys of the other sequence, such as padding. Default: none. */
  memoryMask?: Mask;
  /** Added to the scores of cross-attention. Default: nothing. */
  memoryBias?: Tensor | ScoreMod;
  /** Keys and values of an earlier layer for the same tokens, which attention reuses. Default: its own. */
  sharedKeyValues?: KeyValues;
  /** Seed of the dropout of the layer and its attention; use another one in each step. Default: no dropout. */
  dropoutSeed?: number;
  /** Function that is applied to the residual after the sublayers, `[B, T, C]`, before the output is traced. Default: identity. */
  finish?: (x: Tensor) => Tensor;
  /** Receives traced tensors. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** A layer: created from its sublayers; the params are passed to each call. */
export type TransformerLayer<Inner, Attention = AttentionParams> = {
  /** Random weights. */
  init(seed: number): TransformerLayerParams<Inner, Attention>;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(
    params: TransformerLayerParams<Inner, Attention>,
    x: Tensor,
    options?: TransformerLayerOptions,
  ): Tensor;
};

/**
 * One transformer layer: attention, then a feed-forward layer, each with a residual connection and a norm. With
 * `crossAttention`, it is a decoder layer of an encoder–decoder model. You can replace every part: the attention by a
 * mixer (`mixerLayer`), the norm, or the feed-forward layer by a mixture of experts.
 *
 * @throws {ArgumentError} If a layer with cross-attention is applied without `memory`.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762; on the placement, arXiv:2002.04745 (2020)
 *
 * @example
 * ```ts
 * import { multiHead } from "@qkv/attention";
 * import { randn } from "@qkv/tensor";
 * import { feedForward, norm, transformerLayer } from "@qkv/transformer";
 *
 * const layer = transformerLayer({
 *   attention: multiHead({ embedDim: 8, numHeads: 2 }),
 *   feedForward: feedForward({ embedDim: 8, hiddenDim: 32, activation: "gelu", gated: false }),
 *   norm: norm({ kind: "layer", embedDim: 8 }),
 *   placement: "post",
 * });
 * layer.apply(layer.init(1), randn([1, 5, 8], { seed: 2 })).shape; // => [1, 5, 8]
 * ```
 */
export function transformerLayer<Inner, Attention = AttentionParams>(
  config: TransformerLayerConfig<Inner, Attention>,
): TransformerLayer<Inner, Attention> {
  const {
    attention,
    crossAttention,
    feedForward,
    norm,
    placement = "pre",
    residualScale = 1,
    dropout: rate = 0,
    laurel,
  } = check.options(config, layerNames, "config");
  check.each({ norm }, isLayer, "a layer, with init and apply");
  // Either sublayer may be absent, but not both.
  const present =
    attention || feedForward
      ? { ...(attention && { attention }), ...(feedForward && { feedForward }) }
      : { attention, feedForward };
  check.each(present, isLayer, "a layer, with init and apply");
  if (crossAttention !== undefined) check.each({ crossAttention }, isLayer, "a layer, with init and apply");
  const fix = 'leave it out for "pre", as in GPT-2 and Llama; BERT is "post", Gemma 2 "both".';
  check.oneOf({ placement }, placements, fix);
  check.finite({ residualScale });
  check.finite({ dropout: rate }, { min: 0, below: 1, fix: "0.1 drops one number of ten." });
  if (feedForward?.recurrent && attention && !attention.recurrent) {
    check.refuse({
      argument: "feedForward",
      received: "a layer with a state",
      expected: "one that works on each token alone, as `attention` holds keys and values",
      fix: "give a mixer as `attention`, whose state the cache holds beside it.",
    });
  }
  if (laurel !== undefined) {
    check.each({ laurel }, isLayer, "a layer, with init and apply");
    const fix = "leave `laurel` out, or give attention with norms before it.";
    const holds = () => attention !== undefined && (placement === "pre" || placement === "both");
    check.each({ laurel }, holds, 'none without attention, or with a placement but "pre" and "both"', fix);
  }
  const parallel = placement === "parallel" || placement === "parallelShared";
  if (parallel && !(attention && feedForward)) {
    check.refuse({
      argument: "placement",
      received: placement,
      expected: "a placement of parts one after the other, as one of the two is missing",
      fix: 'leave it out for "pre".',
    });
  }
  if (parallel && crossAttention !== undefined) {
    check.refuse({
      argument: "placement",
      received: placement,
      expected:
        "a placement in which one part reads what the one before it added, as there is crossAttention",
      fix: 'leave it out for "pre".',
    });
  }
  const dropped = (added: Tensor, seed: number | undefined) =>
    rate > 0 && seed !== undefined ? dropout(added, { rate, seed }) : added;
  const scaled = (added: Tensor) => (residualScale === 1 ? added : mul(added, residualScale));
  /** Adds the output of a sublayer `f` to x, with norms as the placement requires. */
  const addResidual = (
    x: Tensor,
    f: (x: Tensor) => Tensor,
    normParams: NormParams,
    outNormParams: NormParams | undefined,
    seed: number | undefined,
    learnedResidual?: (normed: Tensor) => Tensor,
  ): Tensor => {
    if (placement === "post") return norm.apply(normParams, add(x, scaled(dropped(f(x), seed))));
    if (placement === "after") return add(x, scaled(dropped(norm.apply(normParams, f(x)), seed)));
    const normed = norm.apply(normParams, x);
    const output = f(normed);
    if (placement === "normed") return add(normed, scaled(dropped(output, seed)));
    const added = placement === "both" && outNormParams ? norm.apply(outNormParams, output) : output;
    const sum = add(x, scaled(dropped(added, seed)));
    return learnedResidual ? mul(add(sum, learnedResidual(normed)), Math.SQRT1_2) : sum;
  };
  const hasOutNorms = placement === "both";
  const requiredParams = [
    ...(attention ? ["attention", "attentionNorm"] : []),
    ...(feedForward ? ["feedForward"] : []),
    ...(feedForward && placement !== "parallelShared" ? ["feedForwardNorm"] : []),
    ...(laurel ? ["laurel"] : []),
  ];
  return {
    init(seed) {
      const seeds = splitSeed(seed, ["attention", "feedForward", "crossAttention"]);
      const extraSeeds = splitSeed(seeds.crossAttention, ["laurel"]);
      const params = {
        ...(attention && {
          attentionNorm: norm.init(),
          attention: attention.init(seeds.attention),
          ...(hasOutNorms && { attentionOutNorm: norm.init() }),
        }),
        ...(crossAttention && {
          crossAttentionNorm: norm.init(),
          crossAttention: crossAttention.init(seeds.crossAttention),
          ...(hasOutNorms && { crossAttentionOutNorm: norm.init() }),
        }),
        ...(feedForward && {
          ...(placement !== "parallelShared" && { feedForwardNorm: norm.init() }),
          feedForward: feedForward.init(seeds.feedForward),
          ...(hasOutNorms && { feedForwardOutNorm: norm.init() }),
        }),
        ...(laurel && { laurel: laurel.init(extraSeeds.laurel) }),
      };
      return params as TransformerLayerParams<Inner, Attention>;
    },
    apply(params, x, given) {
      const { memory, memoryMask, memoryBias, finish, trace, dropoutSeed, ...options } = onApply.options(
        given,
        optionNames,
      );
      if (finish !== undefined) onApply.type({ finish }, "function");
      const seeds = dropoutSeed === undefined ? undefined : splitSeed(dropoutSeed, dropoutParts, 8);
      const drops = (seed: number | undefined) => seed !== undefined && { dropoutSeed: seed };
      const finished = (y: Tensor) => recordTensor(trace, "output", finish ? finish(y) : y);
      checkParams(onApply, params, requiredParams);
      checkTensor("transformerLayer.apply", "x", x);
      x = recordTensor(trace, "input", x);
      const traced = (step: string, recurrent = false) => {
        const stepTrace = attentionTrace(trace, step, recurrent);
        return stepTrace && { trace: stepTrace };
      };
      const attend = (y: Tensor) => {
        if (!attention) return y;
        const call = {
          ...{ ...options, ...traced("attention", attention.recurrent) },
          // A layer with a state has no attention weights to drop.
          ...(!attention.recurrent && drops(seeds?.weights)),
        };
        const input = recordTensor(trace, "attentionInput", y);
        return recordTensor(trace, "attentionOutput", attention.apply(params.attention, input, call));
      };
      const feed = (y: Tensor) => {
        if (!feedForward) return y;
        const call = feedForward.recurrent
          ? stateOptions(options, attention ? 1 : 0)
          : isWanted(trace, "feedForwardHidden") && { trace: trace! };
        const input = recordTensor(trace, "feedForwardInput", y);
        const feedForwardOutput = call
          ? feedForward.apply(params.feedForward, input, call)
          : feedForward.apply(params.feedForward, input);
        return recordTensor(trace, "feedForwardOutput", feedForwardOutput);
      };
      if (parallel) {
        const attentionInput = norm.apply(params.attentionNorm, x);
        const feedForwardInput =
          placement === "parallel" ? norm.apply(params.feedForwardNorm, x) : attentionInput;
        const [attentionOutput, feedForwardOutput] = [attend(attentionInput), feed(feedForwardInput)];
        const sum = add(
          dropped(attentionOutput, seeds?.attention),
          dropped(feedForwardOutput, seeds?.feedForward),
        );
        return finished(add(x, scaled(sum)));
      }
      const learnedResidual = laurel && ((normed: Tensor) => laurel.apply(params.laurel!, normed));
      if (attention)
        x = addResidual(
          x,
          attend,
          params.attentionNorm,
          params.attentionOutNorm,
          seeds?.attention,
          learnedResidual,
        );
      if (crossAttention) {
        const { crossAttentionNorm, crossAttention: weights } = params;
        if (!memory || !weights || !crossAttentionNorm)
          refuseMissing(memory ? "params.crossAttention" : "memory");
        const cross = {
          ...(memoryMask && { mask: memoryMask }),
          ...(memoryBias && { bias: memoryBias }),
          ...traced("crossAttention"),
          ...drops(seeds?.crossWeights),
        };
        x = addResidual(
          x,
          (y) => recordTensor(trace, "crossAttentionOutput", crossAttention.apply(weights, y, memory, cross)),
          crossAttentionNorm,
          params.crossAttentionOutNorm,
          seeds?.crossAttention,
        );
      }
      if (attention && feedForward) x = recordTensor(trace, "middle", x);
      if (feedForward)
        x = addResidual(x, feed, params.feedForwardNorm, params.feedForwardOutNorm, seeds?.feedForward);
      return finished(x);
    },
  };
}

const check: Checks = /* @__PURE__ */ checks("transformerLayer");
const onApply: Checks = /* @__PURE__ */ checks("transformerLayer.apply");
/** Names of the dropout seeds of a layer. */
const dropoutParts = ["weights", "attention", "crossWeights", "crossAttention", "feedForward"] as const;
const layerNames = [
  "attention",
  "crossAttention",
  "feedForward",
  "norm",
  "placement",
  "residualScale",
  "dropout",
  "laurel",
] as const;
const optionNames: readonly (keyof TransformerLayerOptions)[] = [
  "cache",
  "layer",
  "positions",
  "mask",
  "bias",
  "documents",
  "padding",
  "firstLayer",
  "memory",
  "memoryMask",
  "memoryBias",
  "sharedKeyValues",
  "dropoutSeed",
  "finish",
  "trace",
];

/** Options of a feed-forward layer with a state, which uses a later layer of the cache. */
function stateOptions(
  { cache, layer = 0, positions, documents, padding }: TransformerLayerOptions,
  later: number,
): SequenceLayerOptions {
  return {
    layer: layer + later,
    ...(cache && { cache }),
    ...(positions !== undefined && { positions }),
    ...(documents && { documents }),
    ...(padding && { padding }),
  };
}

const isLayer = (value: unknown): boolean => {
  const { init, apply } = (value ?? {}) as { init?: unknown; apply?: unknown };
  return typeof init === "function" && typeof apply === "function";
};

function refuseMissing(argument: string): never {
  onApply.refuse({
    argument,
    received: undefined,
    expected: "what the layer's attention to another sequence needs",
    fix: "give the other sequence as `memory`, and params of `layer.init(seed)`.",
  });
}
