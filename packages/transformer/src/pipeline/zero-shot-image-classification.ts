import { checks, type Checks } from "@qkv/core";
import { sigmoid, softmax, tensor } from "@qkv/tensor";
import { pad, type Tokenizer } from "@qkv/tokenizer";
import type { RawImage } from "../images/raw-image.js";
import { loadDualEncoder } from "../load-vision.js";
import type { DualEncoderModel } from "../models/model.js";
import { bestIndices } from "./best-indices.js";
import { requiredProcessor, type ImageTask } from "./image-task.js";
import { requiredTokenizer, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link ZeroShotImageClassificationPipeline}, with the names of Transformers.js. */
export type ZeroShotImageClassificationOptions = {
  /** The sentence for a label, with `{}` for the label. Default `"This is a photo of {}"`. */
  hypothesis_template?: string;
};

/** A candidate label with its score. */
export type ZeroShotImageLabel = { label: string; score: number };

/** Call signatures of a zero-shot image classification pipeline. */
export type ZeroShotImageClassificationCall = {
  (
    image: RawImage,
    candidate_labels: readonly string[],
    options?: ZeroShotImageClassificationOptions,
  ): Promise<ZeroShotImageLabel[]>;
  (
    images: readonly RawImage[],
    candidate_labels: readonly string[],
    options?: ZeroShotImageClassificationOptions,
  ): Promise<ZeroShotImageLabel[][]>;
};

/** The task `zero-shot-image-classification`, for dual encoders. */
export const zeroShotImageClassification: ImageTask<DualEncoderModel, ZeroShotImageClassificationCall> = {
  load: loadDualEncoder,
  calls(check, given) {
    const model = requiredDualEncoder(check, given);
    const processor = requiredProcessor(check, model.processor);
    const { contextLength } = model.config.text;
    const tokenizer = truncatingTokenizer(requiredTokenizer(check, model.tokenizer), contextLength);
    const callCheck: Checks = checks('pipeline("zero-shot-image-classification")');
    const call = async (
      images: RawImage | readonly RawImage[],
      candidate_labels: readonly string[],
      options?: ZeroShotImageClassificationOptions,
    ) => {
      const { hypothesis_template = "This is a photo of {}" } = callCheck.options(options, [
        "hypothesis_template",
      ]);
      const hasPlaceholder = (template: unknown) => typeof template === "string" && template.includes("{}");
      callCheck.each(
        { hypothesis_template },
        hasPlaceholder,
        "a sentence with {} where a label stands",
        "leave it out.",
      );
      callCheck.list(
        { candidate_labels },
        "labels",
        (label) => typeof label === "string",
        "give a list of texts.",
      );
      callCheck.each(
        { candidate_labels },
        () => candidate_labels.length > 0,
        "one label or more",
        "name one.",
      );
      const texts = candidate_labels.map((label) => hypothesis_template.replace("{}", () => label));
      const { params, config } = model;
      const { device } = params.logitScale;
      const pixels = processor.apply(images, { device });
      const ids = tensor(paddedIds(model, tokenizer, texts), { dtype: "int32", device });
      const logits = model.logits(params, model.embedImages(params, pixels), model.embedTexts(params, ids));
      const scores = config.scores === "sigmoid" ? sigmoid(logits) : softmax(logits, { axis: -1 });
      const scoreData = (await scores.read()) as Float32Array;
      const count = texts.length;
      const results = Array.from({ length: pixels.shape[0]! }, (_, i) => {
        const imageScores = scoreData.subarray(i * count, (i + 1) * count);
        return bestIndices(imageScores, count).map((j) => ({
          label: candidate_labels[j]!,
          score: imageScores[j]!,
        }));
      });
      return Array.isArray(images) ? results : results[0];
    };
    return call as ZeroShotImageClassificationCall;
  },
};

/**
 * Ids of texts, padded to the longest, or to the context if the last token is pooled, as in training. In a causal
 * encoder, the end token does not see the padding after it.
 */
function paddedIds(
  { config: { text, textPooling } }: DualEncoderModel,
  tokenizer: Tokenizer,
  texts: readonly string[],
): number[][] {
  const ids = texts.map((sentence) => tokenizer.encode(sentence));
  const padId = tokenizer.id("<pad>") ?? tokenizer.id("</s>") ?? tokenizer.id("[PAD]") ?? 0;
  const length = textPooling === "last" ? text.contextLength : 0;
  return pad(ids, { padId: Math.min(padId, text.vocabSize - 1), length }).ids;
}

function requiredDualEncoder(check: Checks<{ argument: string }>, model: unknown): DualEncoderModel {
  if (typeof (model as Partial<DualEncoderModel> | null)?.embedImages === "function")
    return model as DualEncoderModel;
  return check.refuse({
    received: model,
    expected: "an encoder of texts and images",
    fix: "load one with `loadDualEncoder`, or give its name.",
  });
}
