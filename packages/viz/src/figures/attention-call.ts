import type { Figure } from "./figure.js";
import {
  isSeen,
  range,
  tokenLabel,
  type AttentionCallChoices,
  type AttentionCallModel,
} from "./attention-call/model.js";
import { scene, table } from "./attention-call/scene.js";
import { steps } from "./attention-call/steps.js";

export type { AttentionCallChoices, AttentionCallModel } from "./attention-call/model.js";

/**
 * *One attention call*: a token's row of `x` is projected to query, key and value; its query is multiplied with every key; the
 * scores are scaled, masked and normalized by softmax; the output is the weighted sum of the values. A product is drawn where
 * the row and the column of its factors cross. The arithmetic of the step, or of the cell under the pointer, is written below.
 *
 * The model is made by `attentionCallModel` of `@qkv/figures/attention-call`, or from any trace.
 *
 * @example
 * ```ts
 * import { figureSvg } from "@qkv/viz/figures";
 * import { attentionCall } from "@qkv/viz/figures/attention-call";
 *
 * const frame = (data: number[], columns = 2) => ({ data, shape: [2, columns] });
 * const model = {
 *   tokens: ["the", "cat"],
 *   x: frame([1, 0, 0, 1]), query: frame([1, 0, 0, 2]), key: frame([1, 0, 0, 1]), value: frame([3, 0, 0, 3]),
 *   dots: frame([1, 0, 0, 2]), scale: 1, scores: frame([1, 0, 0, 2]), seen: frame([1, 0, 1, 1]),
 *   weights: frame([1, 0, 0.119, 0.881]), output: frame([3, 0, 0.357, 2.643]),
 * };
 * figureSvg(attentionCall, model).includes("weight of “cat” for “the”: 0.12"); // => true
 * ```
 */
export const attentionCall: Figure<AttentionCallModel, AttentionCallChoices> = {
  name: "attention-call",
  title: "One attention call",
  caption:
    "softmax(QKᵀ/√d + mask)V for one head, step by step. Colored numbers are positive, gray ones negative; hatched cells are masked.",
  initial: { token: 2, head: 0, mask: "causal", temperature: 1 },
  modelInputs: ["head", "mask", "temperature"],
  steps,
  scene,
  table,
  controls: ({ tokens, heads }) => [
    tokens.length <= 14
      ? {
          kind: "choice",
          key: "token",
          label: "Follow",
          options: tokens.map((each, value) => ({ value, label: tokenLabel(each) })),
        }
      : {
          kind: "select",
          key: "token",
          label: "Follow",
          options: tokens.map((each, value) => ({ value, label: `${value + 1}. ${tokenLabel(each)}` })),
        },
    ...(heads ? [{ kind: "select", key: "head", label: "Head", options: heads } as const] : []),
    {
      kind: "select",
      key: "mask",
      label: "Mask",
      options: [
        { value: "causal", label: "Causal" },
        { value: "none", label: "None" },
        { value: "window", label: "Window of 2" },
      ],
    },
    { kind: "range", key: "temperature", label: "Temperature", min: 0.2, max: 3, step: 0.1 },
  ],
  formula: (model, { token }) => {
    const i = Math.min(token, model.tokens.length - 1);
    const first = range(model.tokens.length).find((j) => isSeen(model, i, j)) ?? i;
    const list = steps(model, { ...attentionCall.initial, token });
    const mixture = list.find(({ chapter }) => chapter === "Mixture")?.id ?? `mix-${first}`;
    return [
      { text: "softmax(", step: "normalize", activeSteps: ["Softmax"] },
      { text: "Q", step: "project-q", activeSteps: ["project-q", "Scores"], color: "query-text" },
      { text: "Kᵀ", step: "arrange", activeSteps: ["project-k", "Scores"], color: "key-text" },
      { text: " / √d", step: "scale", activeSteps: ["Scale"] },
      { text: " + mask", step: "mask", activeSteps: ["Mask"] },
      { text: ")", step: "normalize", activeSteps: ["Softmax"] },
      { text: "V", step: mixture, activeSteps: ["project-v", "Mixture"], color: "value-text" },
    ];
  },
};
