import type { Control, Figure, FigureTable, Moment } from "./figure.js";
import type { Scene } from "./mark.js";
import { mergesScene } from "./tokenization/merges-scene.js";
import type { TokenizationChoices, TokenizationModel } from "./tokenization/model.js";
import { thresholds } from "./tokenization/entropy-plot.js";
import { patchesScene, patchSpans } from "./tokenization/patches-scene.js";
import { mergeSteps, patchesSteps } from "./tokenization/steps.js";

export type { AppliedMerge, Span, TokenizationChoices, TokenizationModel } from "./tokenization/model.js";

/**
 * *From text to tokens*: a text as characters and bytes, the merges of a vocabulary one by one, each below the two tokens
 * that it joins, and the tokens with their ids; or byte-latent patches, cut where the entropy of the next byte is high.
 *
 * The model is made by `tokenizationModel` of `@qkv/figures/tokenization`.
 *
 * @example
 * ```ts
 * import { tokenization } from "@qkv/viz/figures/tokenization";
 *
 * tokenization.name; // => "tokenization"
 * tokenization.initial.text; // => "The cat sat on the mat in the café."
 * ```
 */
export const tokenization: Figure<TokenizationModel, TokenizationChoices> = {
  name: "tokenization",
  title: "From text to tokens",
  caption: "Each bar covers the bytes that it stands for. ␣ is a space; hatched is a part of a character.",
  initial: {
    view: "merges",
    text: "The cat sat on the mat in the café.",
    vocabulary: "english",
    byteModel: "counts",
    rule: "threshold",
    threshold: 2.1,
    rise: 0.8,
  },
  modelInputs: ["view", "text", "vocabulary", "byteModel", "rule", "threshold", "rise"],
  steps,
  scene,
  controls,
  table,
  press: ({ languages }, _, cell) => {
    const [name, row] = cell.split(":");
    const language = name === "language" ? languages[Number(row)] : undefined;
    return language && { choices: { text: language.text } };
  },
};

function steps(model: TokenizationModel, choices: TokenizationChoices) {
  return choices.view === "patches" ? patchesSteps(model, choices) : mergeSteps(model);
}

function scene(model: TokenizationModel, choices: TokenizationChoices, moment: Moment, width: number): Scene {
  const { id } = steps(model, choices)[moment.step]!;
  const { patches } = model;
  return choices.view === "patches" && patches
    ? patchesScene({ ...model, patches }, choices, id, moment, width)
    : mergesScene(model, id, moment, width);
}

function controls(
  { offers }: TokenizationModel,
  choices: TokenizationChoices,
): Control<TokenizationChoices>[] {
  const shared: Control<TokenizationChoices>[] = [
    {
      kind: "choice",
      key: "view",
      label: "View",
      options: [
        { value: "merges", label: "Merges" },
        { value: "patches", label: "Patches" },
      ],
    },
    {
      kind: "text",
      key: "text",
      label: "Text",
      maxLength: 80,
      placeholder: "Your text",
      examples: offers.texts,
    },
    { kind: "select", key: "vocabulary", label: "Vocabulary trained on", options: offers.vocabulary },
  ];
  if (choices.view !== "patches") return shared;
  return [
    ...shared,
    { kind: "select", key: "byteModel", label: "Entropy by", options: offers.byteModel },
    {
      kind: "choice",
      key: "rule",
      label: "Cut where it is",
      options: [
        { value: "threshold", label: "high", title: "above a threshold (global constraint)" },
        { value: "rise", label: "rising", title: "above that of the byte before (monotonic constraint)" },
      ],
    },
    choices.rule === "threshold"
      ? { kind: "range", key: "threshold", label: "Threshold", min: 0, max: 5, step: 0.1, unit: "nats" }
      : { kind: "range", key: "rise", label: "Rise", min: 0, max: 3, step: 0.1, unit: "nats" },
  ];
}

function table(model: TokenizationModel, choices: TokenizationChoices, step: number): FigureTable {
  const { characters, bytes, merges, tokens, languages, patches } = model;
  const { id } = steps(model, choices)[step]!;
  if (choices.view === "patches" && patches) {
    if (id === "patches" || id === "compare")
      return {
        columns: ["patch", "text", "bytes"],
        rows: patchSpans(model).map(({ start, end }, i) => [i + 1, patches.texts[i]!, end - start]),
      };
    const limit = thresholds(patches, choices);
    return {
      columns: ["byte", "value", "entropy, nats", "limit, nats"],
      rows: bytes.map(({ hex }, i) => [
        i + 1,
        hex,
        patches.entropies[i]!.toFixed(3),
        i === 0 ? "start" : limit(i).toFixed(3),
      ]),
    };
  }
  if (id === "text")
    return {
      columns: ["character", "code point", "bytes"],
      rows: characters.map(({ text, codePoint, bytes }) => [text, codePoint, bytes]),
    };
  if (id === "bytes")
    return { columns: ["byte", "value", "id"], rows: bytes.map(({ hex, id }, i) => [i + 1, hex, id]) };
  if (id === "ids")
    return { columns: ["token", "text", "id"], rows: tokens.map(({ text, id }, i) => [i + 1, text, id]) };
  if (id === "languages")
    return {
      columns: ["language", "sentence", "bytes", "tokens"],
      rows: languages.map(({ name, text, bytes, tokens }) => [name, text, bytes, tokens]),
    };
  return {
    columns: ["merge", "left", "right", "new token", "id", "places", "tokens after it"],
    rows: merges.map(({ rank, left, right, text, id, places, tokens }) => [
      rank,
      left,
      right,
      text,
      id,
      places.length,
      tokens,
    ]),
  };
}
