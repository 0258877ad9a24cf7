import { checks, ShapeError, type Checks } from "@qkv/core";
import { multiHead, type AttentionParams } from "@qkv/attention";
import {
  add,
  broadcastTo,
  checkTensor,
  concat,
  linear,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  transpose,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { conv2d } from "@qkv/tensor/convolutions";
import type { Activation } from "../layers/activation.js";
import { checkParams } from "../layers/check-params.js";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";
import { scaledAttention, scaledFeedForward, type LayerScaled } from "../layers/layer-scale.js";
import { norm, type NormParams } from "../layers/norm.js";
import { interpolatePositions, type Grid } from "../layers/position-grid.js";
import { checkTrace, recordTensor, traceAt, type ModelTrace } from "../layers/trace.js";
import { transformerLayer, type TransformerLayerParams } from "../layers/transformer-layer.js";
import { attentionPooling, type AttentionPoolingParams } from "./attention-pooling.js";
import { modelSeeds } from "./model-seeds.js";
import { checkTaskHead, initTaskHead, type TaskHeadConfig, type TaskHeadParams } from "./task-head.js";

/** Configuration of a vision transformer. The defaults are ViT's, so related models need only a few fields. */
export type VisionTransformerConfig = {
  /** Side length of the training images, for which positions are learned. Unit: pixels. */
  imageSize: number;
  /** Side length of a patch. Unit: pixels. */
  patchSize: number;
  /** Number of image channels. Default 3. */
  numChannels?: number;
  /** C, the model width. */
  embedDim: number;
  /** F, the hidden width of the feed-forward layers. */
  hiddenDim: number;
  /** L */
  numLayers: number;
  /** H */
  numHeads: number;
  /** Epsilon of norms, added to the variance. */
  normEps: number;
  /** Default `gelu`. */
  activation?: Activation;

  /** Adds a class token before the patches, whose output represents the image. Default true; SigLIP has none. */
  classToken?: boolean;
  /** Adds a distillation token after the class token, with its own position (DeiT). Default false. */
  distillationToken?: boolean;
  /** Number of register tokens before the patches, without positions, whose output is not used (DINOv2 with registers). Default 0. */
  registers?: number;
  /** Antialiased interpolation of positions for smaller images (DINOv2 with registers). Default false. */
  antialiasPositions?: boolean;
  /** Bias of the patch embedding in initial params; loaded params have it if it is stored. Default true; CLIP has none. */
  patchBias?: boolean;
  /** Applies a norm before the first layer (CLIP). Default false. */
  embeddingNorm?: boolean;
  /** LayerScale: learned factors of the outputs of attention and feed-forward layers (DINOv2). Default false. */
  layerScale?: boolean;
  /** Gated feed-forward layers (the largest DINOv2). Default false. */
  gated?: boolean;
  /** Input of the final norm: all rows, or only the pooled row (CLIP). Default `rows`. */
  finalNorm?: "rows" | "pooled";
  /** Pooling: the class token, or attention pooling with a learned query (SigLIP). Default `cls`. */
  pooling?: "cls" | "attention";
  /** A task head, which {@link taskLogits} applies. Default: none. */
  head?: TaskHeadConfig;
};

/** Params of a layer. */
export type VisionLayerParams = TransformerLayerParams<
  LayerScaled<FeedForwardParams>,
  LayerScaled<AttentionParams>
>;

/** Params of a vision transformer. N is the number of patches of an image of `imageSize`. */
export type VisionTransformerParams = {
  /** `[C, numChannels, patchSize, patchSize]` */
  patches: { weight: Tensor; bias?: Tensor };
  /** `[C]`, with `classToken`. */
  classToken?: { weight: Tensor };
  /** `[C]`, with `distillationToken`. */
  distillationToken?: { weight: Tensor };
  /** `[registers, C]`, with `registers`. */
  registers?: { weight: Tensor };
  /** `[N, C]`; with `classToken`, preceded by its position, and with `distillationToken`, by one more. */
  positions: { weight: Tensor };
  /** Norm after the embeddings, with `embeddingNorm`. */
  embeddingNorm?: NormParams;
  layers: VisionLayerParams[];
  finalNorm: NormParams;
  /** Params of attention pooling, with `pooling: "attention"`. */
  pooling?: AttentionPoolingParams;
  /** Params of the task head, with `head`. */
  head?: TaskHeadParams;
};

export type VisionTransformerOptions = {
  /** Receives traced tensors, named `embeddings`, `layers.0.attention.weights`. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** A vision transformer: created from its configuration; the params are passed to each call. */
export type VisionTransformer = {
  readonly config: VisionTransformerConfig;
  /** Random weights. */
  init(seed: number): VisionTransformerParams;
  /**
   * Pixel values `[B, numChannels, height, width]` to rows `[B, T, C]`: one each for class token, distillation token and
   * registers, if present, then one per patch in row-major order. Partial patches at the right and bottom edges are cut. If the size is not
   * `imageSize`, positions are interpolated.
   */
  apply(params: VisionTransformerParams, pixels: Tensor, options?: VisionTransformerOptions): Tensor;
  /** Pools rows `[B, T, C]` to one vector per image, `[B, C]`. */
  pool(params: VisionTransformerParams, rows: Tensor, options?: VisionTransformerOptions): Tensor;
};

/**
 * A bidirectional transformer over image patches. A convolution embeds each patch, and learned positions are
 * added.
 *
 * @param kernels - `linear`: the function that multiplies by the matrices of layers. Default: `linear` of `@qkv/tensor`; `anyLinear` takes quantized weights too.
 *
 * @see "An Image is Worth 16x16 Words" (2020), arXiv:2010.11929
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { visionTransformer } from "@qkv/transformer";
 *
 * const vit = visionTransformer({
 *   imageSize: 32, patchSize: 8, embedDim: 12, hiddenDim: 24, numLayers: 2, numHeads: 3, normEps: 1e-12,
 * });
 * const params = vit.init(1);
 * const rows = vit.apply(params, randn([1, 3, 32, 32], { seed: 2 })); // 16 patches and the class token
 * rows.shape; // => [1, 17, 12]
 * vit.pool(params, rows).shape; // => [1, 12]
 * ```
 */
export function visionTransformer(
  config: VisionTransformerConfig,
  kernels?: { linear?: typeof linear },
): VisionTransformer {
  const { linear: map = linear } = check.options(kernels, ["linear"], "kernels");
  checkConfig(config);
  const {
    imageSize,
    patchSize,
    numChannels = 3,
    embedDim: C,
    hiddenDim,
    numLayers,
    numHeads,
    normEps: eps,
    activation = "gelu",
    classToken = true,
    distillationToken = false,
    registers = 0,
    antialiasPositions = false,
    patchBias = true,
    embeddingNorm = false,
    layerScale = false,
    gated = false,
    finalNorm = "rows",
    pooling = "cls",
  } = config;
  const side = Math.floor(imageSize / patchSize);
  const tokens = [
    ...(classToken ? (["classToken"] as const) : []),
    ...(distillationToken ? (["distillationToken"] as const) : []),
  ];
  const numTokens = tokens.length;
  const layerNorm = norm({ kind: "layer", embedDim: C, eps });
  const attention = multiHead({ embedDim: C, numHeads, bias: true, linear: map });
  const feed = feedForward({ embedDim: C, hiddenDim, activation, gated, bias: true, linear: map });
  const layer = transformerLayer<LayerScaled<FeedForwardParams>, LayerScaled<AttentionParams>>({
    attention: layerScale ? scaledAttention(attention, C) : attention,
    feedForward: layerScale ? scaledFeedForward(feed, C) : feed,
    norm: layerNorm,
    placement: "pre",
  });
  const attentionPool =
    pooling === "attention"
      ? attentionPooling({ embedDim: C, hiddenDim, numHeads, activation, linear: map }, layerNorm)
      : undefined;
  const requiredParams = [
    ...["patches.weight", "positions.weight", "layers", "finalNorm.weight"],
    ...tokens.map((name) => `${name}.weight`),
    ...(registers > 0 ? ["registers.weight"] : []),
    ...(embeddingNorm ? ["embeddingNorm.weight"] : []),
    ...(attentionPool ? ["pooling.query.weight"] : []),
  ];
  /** Position vectors for an image with this patch grid. */
  const gridPositions = ({ positions: { weight } }: VisionTransformerParams, grid: Grid): Tensor => {
    if (grid[0] === side && grid[1] === side) return weight;
    const patches = interpolatePositions(slice(weight, 0, numTokens), [side, side], grid, {
      antialias: antialiasPositions,
    });
    return numTokens > 0 ? concat([slice(weight, 0, 0, numTokens), patches], 0) : patches;
  };
  /** Repeats rows `[count, C]` for each image of a batch. */
  const repeatForBatch = (B: number, weight: Tensor, count: number): Tensor =>
    broadcastTo(reshape(weight, [1, count, C]), [B, count, C]);
  return {
    config,
    init(seed) {
      const partNames = ["patches", "classToken", "positions", "pooling", "head"] as const;
      const [seeds, layerSeeds] = modelSeeds(seed, partNames, numLayers);
      const tokenSeeds = splitSeed(seeds.classToken, ["distillationToken", "registers"]);
      const draw = (seed: number, shape: number[], deviation: number) =>
        mul(randn(shape, { seed }), deviation);
      const inner = numChannels * patchSize * patchSize;
      return {
        patches: {
          weight: draw(seeds.patches, [C, numChannels, patchSize, patchSize], 1 / Math.sqrt(inner)),
          ...(patchBias && { bias: zeros([C]) }),
        },
        ...(classToken && { classToken: { weight: draw(seeds.classToken, [C], 0.02) } }),
        ...(distillationToken && {
          distillationToken: { weight: draw(tokenSeeds.distillationToken, [C], 0.02) },
        }),
        ...(registers > 0 && { registers: { weight: draw(tokenSeeds.registers, [registers, C], 0.02) } }),
        positions: { weight: draw(seeds.positions, [side * side + numTokens, C], 0.02) },
        ...(embeddingNorm && { embeddingNorm: layerNorm.init() }),
        layers: layerSeeds.map((seed) => layer.init(seed)),
        finalNorm: layerNorm.init(),
        ...(attentionPool && { pooling: attentionPool.init(seeds.pooling) }),
        ...(config.head && { head: initTaskHead(config.head, C, seeds.head) }),
      };
    },
    apply(params, pixels, options) {
      const { trace } = onApply.options(options, ["trace"]);
      checkParams(onApply, params, requiredParams);
      checkTrace(onApply, trace, { recurrent: new Array<boolean>(numLayers).fill(false) });
      const [B] = checkPixels(pixels, config);
      const { weight, bias } = params.patches;
      return weight.device.scope(() => {
        const patches = conv2d(pixels, weight, { stride: patchSize, ...(bias && { bias }) }); // [B, C, rows, columns]
        const [rows, columns] = patches.shape.slice(2) as [number, number];
        let x = transpose(reshape(patches, [B, C, rows * columns]));
        if (numTokens > 0)
          x = concat([...tokens.map((name) => repeatForBatch(B, params[name]!.weight, 1)), x], 1);
        x = add(x, gridPositions(params, [rows, columns]));
        if (registers > 0) {
          const registerRows = repeatForBatch(B, params.registers!.weight, registers);
          const tokenRows = numTokens > 0 ? [slice(x, 1, 0, numTokens)] : [];
          x = concat([...tokenRows, registerRows, slice(x, 1, numTokens)], 1);
        }
        if (embeddingNorm) x = layerNorm.apply(params.embeddingNorm!, x);
        x = recordTensor(trace, "embeddings", x);
        params.layers.forEach((layerParams, i) => {
          x = layer.apply(layerParams, x, trace && { trace: traceAt(trace, `layers.${i}`) });
        });
        return finalNorm === "rows" ? layerNorm.apply(params.finalNorm, x) : x;
      });
    },
    pool(params, rows, options) {
      const { trace } = onPool.options(options, ["trace"]);
      checkParams(onPool, params, requiredParams);
      const [B] = checkTensor("visionTransformer.pool", "rows", rows).shape as [number];
      return rows.device.scope(() => {
        const x = attentionPool
          ? attentionPool.apply(params.pooling!, rows, trace ? { trace } : {})
          : reshape(slice(rows, 1, 0, 1), [B, C]);
        return finalNorm === "pooled" ? layerNorm.apply(params.finalNorm, x) : x;
      });
    },
  };
}

/** Refuses pixel values with a wrong shape or without a whole patch. */
function checkPixels(
  pixels: Tensor,
  { numChannels = 3, patchSize }: VisionTransformerConfig,
): readonly [B: number, ...number[]] {
  const { shape } = checkTensor("visionTransformer.apply", "pixels", pixels);
  const [, channels, height, width] = shape;
  if (shape.length === 4 && channels === numChannels && height! >= patchSize && width! >= patchSize)
    return shape as readonly number[] as readonly [number, ...number[]];
  return onApply.refuse(
    {
      argument: "pixels",
      received: shape,
      expected: `[B, ${numChannels}, height, width], a patch of ${patchSize} pixels at least`,
      fix: "prepare images with the processor of the model; `expandDims` a single one.",
    },
    ShapeError,
  );
}

const check: Checks = /* @__PURE__ */ checks("visionTransformer");
const onApply: Checks = /* @__PURE__ */ checks("visionTransformer.apply");
const onPool: Checks = /* @__PURE__ */ checks("visionTransformer.pool");

const names = /* @__PURE__ */ Object.keys({
  imageSize: 0,
  patchSize: 0,
  numChannels: 0,
  embedDim: 0,
  hiddenDim: 0,
  numLayers: 0,
  numHeads: 0,
  normEps: 0,
  activation: 0,
  classToken: 0,
  distillationToken: 0,
  registers: 0,
  antialiasPositions: 0,
  patchBias: 0,
  embeddingNorm: 0,
  layerScale: 0,
  gated: 0,
  finalNorm: 0,
  pooling: 0,
  head: 0,
} satisfies Record<keyof VisionTransformerConfig, 0>) as (keyof VisionTransformerConfig)[];

function checkConfig(config: VisionTransformerConfig): void {
  const given = check.options(config, names, "config");
  const { imageSize, patchSize, numChannels = 3, embedDim, hiddenDim, numLayers, numHeads, normEps } = given;
  check.whole({ imageSize, patchSize }, { min: 1, unit: "pixels" });
  check.whole({ numChannels, embedDim, hiddenDim, numHeads }, { min: 1 });
  check.whole({ numLayers }, { min: 0 });
  check.finite({ normEps }, { min: 0, fix: "take what the model was trained with, about 1e-6." });
  const fits = () => patchSize <= imageSize;
  check.each({ patchSize }, fits, `at most imageSize = ${imageSize}`, "give both in pixels.");
  const {
    classToken = true,
    distillationToken = false,
    registers = 0,
    antialiasPositions = false,
    patchBias = true,
    embeddingNorm = false,
    layerScale = false,
    gated = false,
  } = given;
  check.type(
    { classToken, distillationToken, antialiasPositions, patchBias, embeddingNorm, layerScale, gated },
    "boolean",
  );
  check.whole({ registers }, { min: 0 });
  const { finalNorm = "rows", pooling = "cls", head } = given;
  check.oneOf({ finalNorm }, ["rows", "pooled"]);
  check.oneOf({ pooling }, ["cls", "attention"]);
  const hasToken = () => classToken || !distillationToken;
  check.each({ distillationToken }, hasToken, "false, as there is no class token", "leave it out.");
  const hasRow = () => classToken || pooling === "attention";
  check.each({ classToken }, hasRow, 'true, as `pooling` is "cls"', 'write `pooling: "attention"`.');
  if (head !== undefined) checkTaskHead(check, head);
}
