import { checks, type Checks } from "@qkv/core";
import type { EncoderDecoderModel, EncoderModel } from "../models/model.js";
import { labelScores, taskLogits } from "../models/task-head.js";
import { bestIndices } from "./best-indices.js";
import { requiredHead } from "./required-head.js";
import { encodeTexts, requiredTokenizer, textList, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link TextClassificationPipeline}, with the names of Transformers.js. */
export type TextClassificationOptions = {
  /** Number of labels to return, the most likely first; null: all. Default 1. */
  top_k?: number | null;
};

/** A label of a text. */
export type ClassifiedText = {
  label: string;
  /** Its probability; for regression, the predicted number. */
  score: number;
};

/** Call signatures of a text classification pipeline. For a list of texts and several labels, a list per text. */
export type TextClassificationCall = {
  (text: string, options?: TextClassificationOptions): Promise<ClassifiedText[]>;
  (texts: readonly string[], options: { top_k: 1 }): Promise<ClassifiedText[]>;
  (
    texts: readonly string[],
    options?: TextClassificationOptions,
  ): Promise<ClassifiedText[] | ClassifiedText[][]>;
};

/** Creates the function of a text classification pipeline. */
export function textClassification(
  check: Checks<{ argument: string }>,
  model: EncoderModel | EncoderDecoderModel,
): TextClassificationCall {
  const head = requiredHead(check, model, "sequence");
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const callCheck: Checks = checks('pipeline("text-classification")');
  const call = async (texts: string | readonly string[], given?: TextClassificationOptions) => {
    const { top_k = 1 } = callCheck.options(given, ["top_k"]);
    if (top_k !== null) callCheck.whole({ top_k }, { min: 1, unit: "labels" });
    const { rows, attentionMask } = encodeTexts(model, tokenizer, textList(callCheck, texts));
    const scores = labelScores(head, taskLogits(model, rows, { attentionMask }));
    const scoreData = (await scores.read()) as Float32Array;
    const count = head.labels.length;
    const results = Array.from({ length: rows.shape[0]! }, (_, b) => {
      const rowScores = scoreData.subarray(b * count, (b + 1) * count);
      return bestIndices(rowScores, top_k ?? count).map((i): ClassifiedText => ({
        label: head.labels[i]!,
        score: rowScores[i]!,
      }));
    });
    if (top_k === 1) return results.flat();
    return typeof texts === "string" ? results[0] : results;
  };
  return call as TextClassificationCall;
}
