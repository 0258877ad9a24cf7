import type { Checks } from "@qkv/core";
import type { EncoderDecoderModel, EncoderModel } from "../models/model.js";
import type { TaskHeadConfig } from "../models/task-head.js";

/** Classes of transformers with the head of each task. */
const classes = {
  sequence: "BertForSequenceClassification",
  token: "BertForTokenClassification",
  span: "BertForQuestionAnswering",
} as const;

/** The head of a model; refuses a model without the head of the task. */
export function requiredHead(
  check: Checks<{ argument: string }>,
  { config: { head } }: Pick<EncoderModel | EncoderDecoderModel, "config">,
  task: keyof typeof classes,
): TaskHeadConfig {
  if (head?.task === task) return head;
  return check.refuse({
    received:
      head && head.task !== "pooler" ? `a model with a head for ${head.task}` : "a model without a head",
    expected: `one that was saved with its head for ${task}`,
    fix: `take a checkpoint of such a class (${classes[task]}).`,
  });
}
