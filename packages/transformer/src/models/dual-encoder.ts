import { checks, ShapeError, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import {
  add,
  arange,
  argmax,
  cast,
  checkTensor,
  equal,
  exp,
  expandDims,
  linear,
  matmul,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { checkParams } from "../layers/check-params.js";
import { traceAt, type ModelTrace } from "../layers/trace.js";
import { checkIds, type TokenIds } from "./check-ids.js";
import { encoder, type EncoderConfig, type EncoderOptions, type EncoderParams } from "./encoder.js";
import { unitLength } from "./mean-pooling.js";
import {
  visionTransformer,
  type VisionTransformerConfig,
  type VisionTransformerParams,
} from "./vision-transformer.js";

/** Configuration of a dual encoder. */
export type DualEncoderConfig = {
  text: EncoderConfig;
  vision: VisionTransformerConfig;
  /** P, the dimension of the shared embedding space. */
  projectionDim: number;
  /**
   * Token that is pooled for a text: the last position (SigLIP, whose texts are padded to the context length), the token with the
   * largest id (the first CLIP checkpoints), or the first token with this id.
   */
  textPooling: "last" | "largestId" | number;
  /** True: image vectors are projected too (CLIP). False: the vision encoder has width P (SigLIP). Default true. */
  visionProjection?: boolean;
  /**
   * Meaning of logits: exactly one text fits an image (`softmax`, CLIP), or each independently (`sigmoid`, SigLIP, whose logits have a
   * bias). Default `softmax`.
   */
  scores?: "softmax" | "sigmoid";
};

/** Params of a dual encoder. */
export type DualEncoderParams = {
  text: EncoderParams;
  vision: VisionTransformerParams;
  /** `[P, C]`, C of the text encoder. */
  textProjection: LinearParams;
  /** `[P, C]`, C of the image encoder, with `visionProjection`. */
  visionProjection?: LinearParams;
  /** `[1]`: logarithm of the scale of similarities. */
  logitScale: Tensor;
  /** `[1]`: bias of scaled similarities. Absent with `softmax` scores, on which it has no effect. */
  logitBias?: Tensor;
};

/** A dual encoder for texts and images: vectors of matching pairs are similar. Params are passed to each call. */
export type DualEncoder = {
  readonly config: DualEncoderConfig;
  /** Random weights. */
  init(seed: number): DualEncoderParams;
  /** Token ids `[B, T]` to vectors of norm 1, `[B, P]`. */
  embedTexts(
    params: DualEncoderParams,
    ids: TokenIds,
    options?: Pick<EncoderOptions, "mask" | "trace">,
  ): Tensor;
  /** Pixel values `[B, channels, height, width]` to vectors of norm 1, `[B, P]`. */
  embedImages(params: DualEncoderParams, pixels: Tensor, options?: { trace?: ModelTrace }): Tensor;
  /** Vectors of images `[I, P]` and of texts `[T, P]` to logits `[I, T]`. */
  logits(params: DualEncoderParams, images: Tensor, texts: Tensor): Tensor;
};

/**
 * A text encoder and an image encoder trained together, so that matching texts and images have similar vectors: CLIP and SigLIP. In traces,
 * tensor names begin with `text` and `image`.
 *
 * @param kernels - `linear`: as for {@link visionTransformer}.
 *
 * @see "Learning Transferable Visual Models From Natural Language Supervision" (2021), arXiv:2103.00020; "Sigmoid Loss for Language
 *   Image Pre-Training" (2023), arXiv:2303.15343
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { dualEncoder } from "@qkv/transformer";
 *
 * const clip = dualEncoder({
 *   text: {
 *     vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 6, numTypes: 0, normEps: 1e-5,
 *     placement: "pre", embeddingNorm: false, causal: true,
 *   },
 *   vision: { imageSize: 8, patchSize: 4, embedDim: 12, hiddenDim: 24, numLayers: 1, numHeads: 3, normEps: 1e-5 },
 *   projectionDim: 4,
 *   textPooling: 10,
 * });
 * const params = clip.init(1);
 * const images = clip.embedImages(params, randn([2, 3, 8, 8], { seed: 2 })); // [2, 4]
 * const texts = clip.embedTexts(params, [3, 1, 10]); // [1, 4]
 * clip.logits(params, images, texts).shape; // => [2, 1]
 * ```
 */
export function dualEncoder(config: DualEncoderConfig, kernels?: { linear?: typeof linear }): DualEncoder {
  const { linear: applyLinear = linear } = check.options(kernels, ["linear"], "kernels");
  checkConfig(config);
  const { projectionDim: P, textPooling, visionProjection = true, scores = "softmax" } = config;
  const text = encoder(config.text, { linear: applyLinear });
  const vision = visionTransformer(config.vision, { linear: applyLinear });
  const requiredParams = ["text", "vision", "textProjection.weight", "logitScale"];
  return {
    config,
    init(seed) {
      const seeds = splitSeed(seed, ["text", "vision", "textProjection", "visionProjection"]);
      const draw = (seed: number, inputDim: number): LinearParams => ({
        weight: mul(randn([P, inputDim], { seed }), 1 / Math.sqrt(inputDim)),
      });
      const { maskedTokenHead: _, ...textParams } = text.init(seeds.text);
      return {
        text: textParams,
        vision: vision.init(seeds.vision),
        textProjection: draw(seeds.textProjection, config.text.embedDim),
        ...(visionProjection && {
          visionProjection: draw(seeds.visionProjection, config.vision.embedDim),
        }),
        // Initial scale of 1 / 0.07 as in CLIP, and for sigmoid scores 10 with a bias of -10 as in SigLIP.
        logitScale: tensor([Math.log(scores === "softmax" ? 1 / 0.07 : 10)]),
        ...(scores === "sigmoid" && { logitBias: tensor([-10]) }),
      };
    },
    embedTexts(params, ids, options) {
      const { mask, trace } = onTexts.options(options, ["mask", "trace"]);
      checkParams(onTexts, params, requiredParams);
      const { device } = params.text.embedding.weight;
      const tokens = checkIds(onTexts, ids, { device, vocabSize: config.text.vocabSize });
      return device.scope(() => {
        const rows = text.apply(params.text, tokens, {
          ...(mask && { mask }),
          ...(trace && { trace: traceAt(trace, "text") }),
        });
        const { weight, bias } = params.textProjection;
        return unitLength(applyLinear(poolText(rows, tokens, textPooling), weight, bias));
      });
    },
    embedImages(params, pixels, given) {
      const { trace } = onImages.options(given, ["trace"]);
      checkParams(onImages, params, requiredParams);
      checkTensor("dualEncoder.embedImages", "pixels", pixels);
      return params.logitScale.device.scope(() => {
        const options = trace && { trace: traceAt(trace, "image") };
        const rows = vision.apply(params.vision, pixels, options);
        const image = vision.pool(params.vision, rows, options);
        const projection = params.visionProjection;
        return unitLength(projection ? applyLinear(image, projection.weight, projection.bias) : image);
      });
    },
    logits(params, images, texts) {
      checkParams(onLogits, params, requiredParams);
      for (const [argument, x] of Object.entries({ images, texts })) {
        const { shape } = checkTensor("dualEncoder.logits", argument, x);
        if (shape.length === 2 && shape[1] === P) continue;
        const fix = "give what `embedImages` and `embedTexts` return.";
        onLogits.refuse({ argument, received: shape, expected: `vectors [B, ${P}]`, fix }, ShapeError);
      }
      const scaled = mul(matmul(images, transpose(texts)), exp(params.logitScale));
      return params.logitBias ? add(scaled, params.logitBias) : scaled;
    },
  };
}

/** The row of the pooled token of each text, `[B, C]`: the product of a one-hot row and all rows. */
function poolText(rows: Tensor, ids: Tensor, pooling: DualEncoderConfig["textPooling"]): Tensor {
  const [B, T, C] = rows.shape as [number, number, number];
  if (pooling === "last") return reshape(slice(rows, 1, T - 1, T), [B, C]);
  // The pooled token is the first maximum: the largest id, or the first token with the id.
  const ranked = pooling === "largestId" ? ids : cast(equal(ids, pooling), "int32");
  const pooledAt = argmax(ranked, { axis: 1, keepDims: true }); // [B, 1]
  const isPooled = equal(reshape(arange(T, { dtype: "int32", device: rows.device }), [1, T]), pooledAt); // [B, T]
  return reshape(matmul(expandDims(cast(isPooled, rows.dtype), 1), rows), [B, C]);
}

const check: Checks = /* @__PURE__ */ checks("dualEncoder");
const onTexts: Checks = /* @__PURE__ */ checks("dualEncoder.embedTexts");
const onImages: Checks = /* @__PURE__ */ checks("dualEncoder.embedImages");
const onLogits: Checks = /* @__PURE__ */ checks("dualEncoder.logits");
const names = ["text", "vision", "projectionDim", "textPooling", "visionProjection", "scores"] as const;

function checkConfig(config: DualEncoderConfig): void {
  const {
    projectionDim,
    textPooling,
    visionProjection = true,
    scores = "softmax",
  } = check.options(config, names, "config");
  check.whole({ projectionDim }, { min: 1 });
  check.type({ visionProjection }, "boolean");
  check.oneOf({ scores }, ["softmax", "sigmoid"]);
  const isPooling = (value: unknown) =>
    value === "last" || value === "largestId" || (Number.isInteger(value) && (value as number) >= 0);
  const fix = "give the id at which texts end.";
  check.each({ textPooling }, isPooling, '"last", "largestId" or a token id', fix);
  const fits = () => visionProjection || config.vision.embedDim === projectionDim;
  const expected = `vision.embedDim = ${config.vision?.embedDim}, as images are not projected`;
  check.each({ projectionDim }, fits, expected, "leave `visionProjection` out.");
}
