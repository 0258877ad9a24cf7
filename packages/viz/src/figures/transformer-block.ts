import type { Control, Figure, Press } from "./figure.js";
import {
  chosen,
  l2Norm,
  partId,
  partText,
  range,
  shown,
  vector,
  type TransformerBlockChoices,
  type TransformerBlockModel,
} from "./transformer-block/model.js";
import { scene } from "./transformer-block/scene.js";
import { steps } from "./transformer-block/steps.js";

export type {
  BlockNumbers,
  NextToken,
  TransformerBlockChoices,
  TransformerBlockModel,
} from "./transformer-block/model.js";

/**
 * *Inside a block*: the residual stream of a token from its embedding to the next-token probabilities, with what every
 * part reads and adds. The whole model or one block is shown, with a norm, the heads, one head or the MLP expanded in place.
 * Any part can be removed.
 *
 * The model is made by `transformerBlockModel` of `@qkv/figures/transformer-block`.
 *
 * @example
 * ```ts
 * import { transformerBlock } from "@qkv/viz/figures/transformer-block";
 *
 * transformerBlock.name; // => "transformer-block"
 * transformerBlock.modelInputs; // => ["text", "removed"]
 * ```
 */
export const transformerBlock: Figure<TransformerBlockModel, TransformerBlockChoices> = {
  name: "transformer-block",
  title: "Inside a block",
  caption:
    "Each part reads the residual stream and adds a vector to it. Green: added by attention. Purple dots: the tokens that it reads, by the mean weight of its heads.",
  initial: {
    text: "The cat sat on the",
    token: -1,
    layer: 0,
    head: 0,
    target: 0,
    removed: "none",
  },
  modelInputs: ["text", "removed"],
  steps,
  scene,
  controls,
  table,
  press,
  formula: () => [
    { text: "x", step: "enter", activeSteps: ["enter", "embed"] },
    {
      text: " + Attention",
      step: "heads",
      activeSteps: ["heads", "head", "attention", "add-1"],
      color: "value-text",
    },
    { text: "(norm(x))", step: "norm-1", activeSteps: ["norm-1"] },
    { text: " + MLP", step: "mlp", activeSteps: ["mlp", "mlp-write", "block"] },
    { text: "(norm(…))", step: "norm-2", activeSteps: ["norm-2"] },
  ],
};

function controls(
  model: TransformerBlockModel,
  choices: TransformerBlockChoices,
): Control<TransformerBlockChoices>[] {
  const { tokens, blocks, numHeads, next } = model;
  const L = blocks.length;
  const { t } = chosen(model, choices);
  const last = tokens.length - 1;
  const options = (count: number) => range(count).map((value) => ({ value, label: String(value) }));
  const removable = [
    ...range(2 * L).map(partId),
    ...range(L * numHeads).map((n) => `head-${Math.floor(n / numHeads)}-${n % numHeads}`),
  ];
  return [
    { kind: "text", key: "text", label: "Text", maxLength: 120 },
    {
      kind: "select",
      key: "token",
      label: "Follow",
      options: tokens.map(({ text }, i) => ({
        value: i === last ? -1 : i,
        label: `${i + 1}. ${shown(text)}`,
      })),
    },
    L <= 8
      ? { kind: "choice", key: "layer", label: "Block", options: options(L) }
      : { kind: "select", key: "layer", label: "Block", options: options(L) },
    { kind: "select", key: "head", label: "Head", options: options(numHeads) },
    {
      kind: "select",
      key: "target",
      label: "Logit of",
      options: next[t]!.map(({ text }, value) => ({ value, label: shown(text) })),
    },
    {
      kind: "select",
      key: "removed",
      label: "Remove",
      options: [
        { value: "none", label: "nothing" },
        ...removable.map((value) => ({ value, label: partText(value) })),
      ],
    },
  ];
}

function press(
  { removed, tokens }: TransformerBlockModel,
  _: TransformerBlockChoices,
  cell: string,
): Press<TransformerBlockChoices> | undefined {
  const [kind, name = "", layer] = cell.split(":");
  switch (kind) {
    case "token":
      return { choices: { token: Number(name) === tokens.length - 1 ? -1 : Number(name), target: 0 } };
    case "block":
      return { choices: { layer: Number(name) }, step: "block" };
    case "open":
      return { choices: { layer: Number(layer) }, step: name };
    case "head":
      return { choices: { head: Number(name) }, step: "head" };
    case "target":
      return { choices: { target: Number(name) } };
    case "remove":
      return { choices: { removed: removed === name ? "none" : name } };
    case "zoom":
      return name === "here"
        ? undefined
        : { step: { model: "whole", block: "block", heads: "heads" }[name]! };
  }
  return undefined;
}

function table(model: TransformerBlockModel, choices: TransformerBlockChoices) {
  const { t, target } = chosen(model, choices);
  const number = (value: number) => Number(value.toFixed(4));
  const size = (frame: TransformerBlockModel["stream"][number]) => number(l2Norm(vector(frame, t)));
  return {
    columns: [
      "part",
      "norm of what it adds",
      "norm of the stream after it",
      `adds to the logit of ${shown(target.text)}`,
    ],
    rows: [
      ["embedding", size(model.stream[0]!), size(model.stream[0]!), number(target.parts[0]!)],
      ...model.writes.map((write, k) => [
        partText(partId(k)),
        size(write),
        size(model.stream[k + 1]!),
        number(target.parts[k + 1]!),
      ]),
      ...(target.rest === 0 ? [] : [["bias of the final norm", "", "", number(target.rest)]]),
      ["sum: the logit", "", "", number(target.logit)],
      ...model.next[t]!.map(({ text, before, now }) => [
        `next token ${shown(text)}`,
        "",
        "",
        model.removed === "none"
          ? `${(100 * now).toFixed(2)}%`
          : `${(100 * before).toFixed(2)}% → ${(100 * now).toFixed(2)}%`,
      ]),
    ],
  };
}
