import { easeCubicInOut } from "d3-ease";
import type { Control, Figure, Moment, Press } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { branchTree } from "./generation/branch-tree.js";
import { candidateBars } from "./generation/candidate-bars.js";
import { columns } from "./generation/columns.js";
import { drawBar, drawBarHeight } from "./generation/draw-bar.js";
import { headName, shownToken, type GenerationChoices, type GenerationModel } from "./generation/model.js";
import { stageAt, stepId, steps } from "./generation/steps.js";
import { progressWithin } from "./progress-within.js";
import { percentTexts } from "./generation/candidate-percents.js";

export type {
  CachedAs,
  GeneratedToken,
  GenerationBranch,
  GenerationCandidate,
  GenerationChoices,
  GenerationModel,
  OtherCandidates,
} from "./generation/model.js";

/**
 * *Writing, token by token*: a model reads its prompt, predicts the next token, samples it, and reads it. The attention of
 * the last token is drawn above each word, its column of the KV cache below; temperature and top-p change the
 * probabilities, and a random number selects a token. A press on another candidate forks the text.
 *
 * The model is made by `generationModel` of `@qkv/figures/generation`.
 *
 * @example
 * ```ts
 * import { generation } from "@qkv/viz/figures/generation";
 *
 * generation.initial.text; // => "The cat sat on the"
 * ```
 */
export const generation: Figure<GenerationModel, GenerationChoices> = {
  name: "generation",
  title: "Writing, token by token",
  caption:
    "A language model of one million parameters writes in your browser: read, predict, draw, append, and again. Press a bar to take another token.",
  initial: {
    text: "The cat sat on the",
    head: 15,
    temperature: 0.8,
    topP: 0.9,
    seed: 5,
    tokens: 5,
    cache: "contiguous",
    draft: "none",
    branches: "*.r0_*.r2",
    branch: "",
  },
  modelInputs: ["text", "temperature", "topP", "seed", "tokens", "cache", "draft", "branches", "branch"],
  steps,
  scene,
  controls,
  table,
  press,
};

function scene(model: GenerationModel, choices: GenerationChoices, moment: Moment, width: number): Scene {
  const stage = stageAt(moment.step, moment.progress);
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const place = (y: number) => ({ x: margin, y, width: width - 2 * margin, phone });
  const text = columns(model, choices, stage, moment.focus, place(0));
  const marks: Mark[] = [...text.marks];
  let y = text.height + 22;
  // While a token is read, the probabilities from which it was sampled fade.
  const fades = stage.token > 0 && stage.phase === "read" ? 1 - progressWithin(stage.read, 0, 0.4) : 0;
  const shown = fades > 0 ? stageAt(moment.step - 1, 1) : stage;
  const faded = (list: readonly Mark[]) =>
    fades > 0
      ? list.map(({ cell: _, ...mark }) => ({ ...mark, opacity: (mark.opacity ?? 1) * fades }))
      : list;
  const bars = candidateBars(model, shown, moment.focus, place(y));
  marks.push(...faded(bars.marks));
  y += bars.height + 14;
  const draw = drawBar(model, shown, place(y));
  marks.push(...faded(draw.marks));
  y += drawBarHeight + 12;
  const tree = branchTree(model, stage, moment.focus, place(y));
  marks.push(...tree.marks);
  y += tree.height;

  const flight = progressWithin(stage.draw, 0.6, 0.95);
  if (flight > 0 && flight < 1) {
    const [from, to, t] = [draw.from, text.slot, easeCubicInOut(flight)];
    const interpolate = (name: "x" | "y" | "width" | "height") => from[name] + t * (to[name] - from[name]);
    marks.push({
      key: "flight",
      kind: "rect",
      x: interpolate("x"),
      y: interpolate("y"),
      width: interpolate("width"),
      height: interpolate("height"),
      radius: 4,
      fill: "text",
      text: shownToken(model.generated[stage.token]!.text),
      textFill: "paper",
      layer: 2,
    });
  }
  return { width, height: y + 4, marks, description: describe(model, moment.step) };
}

function describe({ prompt, generated }: GenerationModel, step: number): string {
  const { token } = stageAt(step, 1);
  const written = [...prompt, ...generated.slice(0, token).map(({ text }) => text)].join("");
  const { candidates } = generated[token]!;
  const list = percentTexts(generated[token]!).model;
  const likely = candidates.slice(0, 3).map((one, i) => `${shownToken(one.text)} ${list[i]!}`);
  return `“${written.trim()}” and the likeliest next tokens: ${likely.join(", ")}.`;
}

function controls({ numLayers, numHeads }: GenerationModel): Control<GenerationChoices>[] {
  const heads = Array.from({ length: numLayers * numHeads }, (_, head) => ({
    value: head,
    label: headName({ numHeads }, head),
  }));
  return [
    {
      kind: "text",
      key: "text",
      label: "Text",
      maxLength: 120,
      placeholder: "Begin a sentence",
      examples: [
        { label: "cat on the mat", choices: { text: "The cat sat on the", draft: "none", seed: 5 } },
        {
          label: "cow, with a draft",
          title: "Draft tokens are copied from the text and verified in one pass",
          choices: { text: "The cow says moo. What does the cow say? The", draft: "prompt-lookup", seed: 1 },
        },
      ],
    },
    { kind: "range", key: "temperature", label: "Temperature", min: 0, max: 2, step: 0.1 },
    { kind: "range", key: "topP", label: "Top-p", min: 0.1, max: 1, step: 0.05 },
    { kind: "range", key: "seed", label: "Seed", min: 0, max: 99, step: 1 },
    {
      kind: "select",
      key: "tokens",
      label: "New tokens",
      options: [1, 3, 5, 8, 12].map((value) => ({ value, label: String(value) })),
    },
    {
      kind: "select",
      key: "head",
      label: "Attention",
      options: [{ value: -1, label: headName({ numHeads }, -1) }, ...heads],
    },
    {
      kind: "select",
      key: "cache",
      label: "Cache",
      options: [
        { value: "contiguous", label: "all tokens, float32" },
        { value: "rolling", label: "first token and last 4" },
        { value: "quantized", label: "all tokens, int8" },
      ],
    },
    {
      kind: "select",
      key: "draft",
      label: "Draft",
      options: [
        { value: "none", label: "none" },
        { value: "prompt-lookup", label: "prompt lookup" },
      ],
    },
    { kind: "press", key: "branches", label: "Branches", maxLength: 600 },
    { kind: "press", key: "branch", label: "Branch", maxLength: 200 },
  ];
}

function table(model: GenerationModel, choices: GenerationChoices, step: number) {
  const { token } = stageAt(step, 1);
  const now = model.generated[token]!;
  const rows = now.candidates.map(({ text, probability, tempered, kept, from, to }) => [
    shownToken(text),
    probability.toFixed(4),
    tempered.toFixed(4),
    kept.toFixed(4),
    kept > 0 ? `${from.toFixed(4)} to ${to.toFixed(4)}` : "cut",
  ]);
  const { count, probability, tempered, kept } = now.others;
  rows.push([
    `${count.toLocaleString("en-US")} others`,
    probability.toFixed(4),
    tempered.toFixed(4),
    kept.toFixed(4),
    "",
  ]);
  return {
    columns: [
      "token",
      "by the model",
      `temperature ${choices.temperature}`,
      `top-p ${choices.topP}`,
      "drawn by",
    ],
    rows,
  };
}

/** Maximum number of branches besides the first. A new one replaces the oldest. */
const maxBranches = 5;

/** A press on a candidate forks the text there; a press on a word of the text or of a branch goes to its step. */
function press(
  model: GenerationModel,
  choices: GenerationChoices,
  cell: string,
): Press<GenerationChoices> | undefined {
  const [block, first, second] = cell.split(":");
  const { generated, prompt, branches } = model;
  if (block === "word") {
    const token = Number(second) - prompt.length;
    return token >= 0 && token < generated.length ? { step: stepId(token, "draw") } : undefined;
  }
  if (block === "branch") {
    const chosen = branches[Number(first)];
    const step = stepId(Number(second), "draw");
    return chosen && { ...(chosen.name !== choices.branch && { choices: { branch: chosen.name } }), step };
  }
  if (block !== "take") return undefined;
  const [token, index] = [Number(first), Number(second)];
  const now = generated[token];
  const pressed = now?.candidates[index];
  const step = stepId(token, "draw");
  if (!now || !pressed) return undefined;
  if (index === now.taken) return { step };
  const ids = [...generated.slice(0, token).map(({ id }) => id), pressed.id];
  const name = `${model.promptName}.${ids.join(".")}`;
  const earlierBranches = choices.branches.split("_").filter((each) => each !== "" && each !== name);
  return {
    choices: { branches: [...earlierBranches, name].slice(-maxBranches).join("_"), branch: name },
    step,
  };
}
