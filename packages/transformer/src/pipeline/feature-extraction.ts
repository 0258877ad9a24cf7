import { checks, type Checks } from "@qkv/core";
import { reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import type { EncoderModel } from "../models/model.js";
import { meanPooling, unitLength } from "../models/mean-pooling.js";
import { outputTensor, type OutputTensor } from "./output-tensor.js";
import { packSigns } from "./pack-signs.js";
import {
  encodeTexts,
  requiredTokenizer,
  textList,
  truncatingTokenizer,
  type EncodedTexts,
} from "./texts-to-rows.js";

/** Call options of a {@link FeatureExtractionPipeline}, with the names of Transformers.js. */
export type FeatureExtractionOptions = {
  /** One vector for each text: the mean of its tokens, the first or the last. Default `"none"`: a vector for each token. */
  pooling?: "none" | "mean" | "cls" | "first_token" | "last_token" | "eos";
  /** Scales each vector to length 1. Default false. */
  normalize?: boolean;
  /** Keeps the sign of each number, 8 in a byte; needs `pooling`. Default false. */
  quantize?: boolean;
  /** Bytes of `quantize`: from -128 (`"binary"`, the default) or from 0 (`"ubinary"`). */
  precision?: "binary" | "ubinary";
};

/** Calls of a pipeline that embeds texts. */
export type FeatureExtractionCall = (
  texts: string | readonly string[],
  options?: FeatureExtractionOptions,
) => Promise<OutputTensor>;

/** Makes the calls of a model that embeds. */
export function featureExtraction(
  check: Checks<{ argument: string }>,
  model: EncoderModel,
): FeatureExtractionCall {
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const own: Checks = checks('pipeline("feature-extraction")');
  return async (texts, given) => {
    const options = own.options(given, ["pooling", "normalize", "quantize", "precision"]);
    const { pooling = "none", normalize = false, quantize = false, precision = "binary" } = options;
    own.oneOf({ pooling }, ["none", "mean", "cls", "first_token", "last_token", "eos"]);
    own.type({ normalize, quantize }, "boolean");
    own.oneOf({ precision }, ["binary", "ubinary"]);
    const encoded = encodeTexts(model, tokenizer, textList(own, texts));
    const pooled = await pool(encoded, pooling);
    const result = normalize ? unitLength(pooled) : pooled;
    const data = (await result.read()) as Float32Array;
    if (!quantize) return outputTensor(data, result.shape);
    return signs(own, data, result.shape, precision);
  };
}

/** Vectors of texts, `[B, C]`, or of tokens, `[B, T, C]`. */
async function pool(
  { ids, rows, attentionMask }: EncodedTexts,
  pooling: NonNullable<FeatureExtractionOptions["pooling"]>,
): Promise<Tensor> {
  const [B, T, C] = rows.shape as [number, number, number];
  if (pooling === "none") return rows;
  if (pooling === "mean") return meanPooling(rows, attentionMask);
  if (pooling === "cls" || pooling === "first_token") return reshape(slice(rows, 1, 0, 1), [B, C]);
  const data = await rows.read();
  const last = new Float32Array(B * C);
  ids.forEach(({ length }, b) => {
    const from = (b * T + length - 1) * C;
    last.set(data.subarray(from, from + C), b * C);
  });
  return tensor(last, { shape: [B, C], device: rows.device });
}

/** The signs of vectors, 8 to a byte, the first in its highest bit. */
function signs(
  check: Checks,
  data: Float32Array,
  shape: readonly number[],
  precision: NonNullable<FeatureExtractionOptions["precision"]>,
): OutputTensor {
  const [B, C] = shape as [number, number];
  if (shape.length !== 2 || C % 8 !== 0) {
    check.refuse({
      argument: "quantize",
      received: true,
      expected: `vectors of texts, of a length that 8 divides; these are [${shape.join(", ")}]`,
      fix: shape.length === 2 ? "leave it out." : 'write `pooling: "mean"` beside it.',
    });
  }
  return outputTensor(packSigns(data, precision), [B, C / 8]);
}
