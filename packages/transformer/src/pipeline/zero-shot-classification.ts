import { checks, type Checks } from "@qkv/core";
import { entailmentScores } from "../models/entailment-scores.js";
import type { EncoderDecoderModel, EncoderModel } from "../models/model.js";
import { taskLogits } from "../models/task-head.js";
import { bestIndices } from "./best-indices.js";
import { requiredHead } from "./required-head.js";
import { encodeTexts, requiredTokenizer, textList, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link ZeroShotClassificationPipeline}, with the names of Transformers.js. */
export type ZeroShotClassificationOptions = {
  /** The hypothesis, with `{}` for the label. Default `"This example is {}."`. */
  hypothesis_template?: string;
  /** True: several labels may apply, and each is scored separately. Default false: scores sum to 1. */
  multi_label?: boolean;
};

/** The labels of a text, the most likely first. */
export type ZeroShotLabels = {
  sequence: string;
  labels: string[];
  scores: number[];
};

/** Call signatures of a zero-shot classification pipeline. */
export type ZeroShotClassificationCall = {
  (
    text: string,
    candidate_labels: string | readonly string[],
    options?: ZeroShotClassificationOptions,
  ): Promise<ZeroShotLabels>;
  (
    texts: readonly string[],
    candidate_labels: string | readonly string[],
    options?: ZeroShotClassificationOptions,
  ): Promise<ZeroShotLabels[]>;
};

/** Creates the function of a zero-shot classification pipeline from a model for natural language inference. */
export function zeroShotClassification(
  check: Checks<{ argument: string }>,
  model: EncoderModel | EncoderDecoderModel,
): ZeroShotClassificationCall {
  const head = requiredHead(check, model, "sequence");
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const callCheck: Checks = checks('pipeline("zero-shot-classification")');
  const call = async (
    texts: string | readonly string[],
    candidate_labels: string | readonly string[],
    given?: ZeroShotClassificationOptions,
  ) => {
    const { hypothesis_template = "This example is {}.", multi_label = false } = callCheck.options(given, [
      "hypothesis_template",
      "multi_label",
    ]);
    callCheck.type({ multi_label }, "boolean");
    callCheck.each(
      { hypothesis_template },
      (template) => typeof template === "string" && template.includes("{}"),
      "a sentence with {} where a label stands",
      'write "This example is {}.", or leave it out.',
    );
    const labels = typeof candidate_labels === "string" ? [candidate_labels] : candidate_labels;
    callCheck.list({ candidate_labels: labels }, "labels", (label) => typeof label === "string");
    callCheck.each(
      { candidate_labels: labels },
      (list) => (list as unknown[]).length > 0,
      "one label or more",
      "name one.",
    );
    const hypotheses = labels.map((label) => hypothesis_template.replace("{}", () => label));
    const results: ZeroShotLabels[] = [];
    for (const sequence of textList(callCheck, texts)) {
      const { rows, attentionMask } = encodeTexts(
        model,
        tokenizer,
        labels.map(() => sequence),
        hypotheses,
      );
      const logits = taskLogits(model, rows, { attentionMask });
      const scores = await entailmentScores(head, logits, {
        multiLabel: multi_label || labels.length === 1,
      }).read();
      const order = bestIndices(scores as Float32Array, labels.length);
      results.push({
        sequence,
        labels: order.map((i) => labels[i]!),
        scores: order.map((i) => scores[i] as number),
      });
    }
    return typeof texts === "string" ? results[0] : results;
  };
  return call as ZeroShotClassificationCall;
}
