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
  /** Pooling to one vector per text: the mean, the first or the last token. Default `"none"`: one vector per token. */
  pooling?: "none" | "mean" | "cls" | "first_token" | "last_token" | "eos";
  /** Scales each vector to norm 1. Default false. */
  normalize?: boolean;
  /** Binary quantization: signs of the dimensions, 8 per byte; requires `pooling`. Default false. */
  quantize?: boolean;
  /** Byte format of `quantize`: signed (`"binary"`, the default) or unsigned (`"ubinary"`). */
  precision?: "binary" | "ubinary";
};

/** Call signatures of a feature extraction pipeline. */
export type FeatureExtractionCall = (
  texts: string | readonly string[],
  options?: FeatureExtractionOptions,
) => Promise<OutputTensor>;

/** Creates the function of a feature extraction pipeline. */
export function featureExtraction(
  check: Checks<{ argument: string }>,
  model: EncoderModel,
): FeatureExtractionCall {
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const callCheck: Checks = checks('pipeline("feature-extraction")');
  return async (texts, given) => {
    const options = callCheck.options(given, ["pooling", "normalize", "quantize", "precision"]);
    const { pooling = "none", normalize = false, quantize = false, precision = "binary" } = options;
    callCheck.oneOf({ pooling }, ["none", "mean", "cls", "first_token", "last_token", "eos"]);
    callCheck.type({ normalize, quantize }, "boolean");
    callCheck.oneOf({ precision }, ["binary", "ubinary"]);
    const encoded = encodeTexts(model, tokenizer, textList(callCheck, texts));
    const pooled = await pool(encoded, pooling);
    const result = normalize ? unitLength(pooled) : pooled;
    const data = (await result.read()) as Float32Array;
    if (!quantize) return outputTensor(data, result.shape);
    return signTensor(callCheck, data, result.shape, precision);
  };
}

/** Embeddings of texts, `[B, C]`, or of tokens, `[B, T, C]`. */
async function pool(
  { ids, rows, attentionMask }: EncodedTexts,
  pooling: NonNullable<FeatureExtractionOptions["pooling"]>,
): Promise<Tensor> {
  const [B, T, C] = rows.shape as [number, number, number];
  if (pooling === "none") return rows;
  if (pooling === "mean") return meanPooling(rows, attentionMask);
  if (pooling === "cls" || pooling === "first_token") return reshape(slice(rows, 1, 0, 1), [B, C]);
  const data = await rows.read();
  const lastRows = new Float32Array(B * C);
  ids.forEach(({ length }, b) => {
    const from = (b * T + length - 1) * C;
    lastRows.set(data.subarray(from, from + C), b * C);
  });
  return tensor(lastRows, { shape: [B, C], device: rows.device });
}

/** Binary quantization of text vectors: signs of dimensions, 8 per byte, the first in the highest bit. */
function signTensor(
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
