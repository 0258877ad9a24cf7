import type { Control, Figure, FigureTable, Moment } from "./figure.js";
import { between } from "./between.js";
import { cellArithmetic } from "./linked-matrices/arithmetic.js";
import { headMaps, headOfMap } from "./linked-matrices/head-maps.js";
import { linkedLayout } from "./linked-matrices/layout.js";
import { linkedCells } from "./linked-matrices/links.js";
import { matrices, matrixTable } from "./linked-matrices/matrices.js";
import {
  parseCell,
  chosenHead,
  headSizes,
  strongestWeight,
  type LinkedCell,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
} from "./linked-matrices/model.js";
import { parseAxis, shapes, shapesSize } from "./linked-matrices/shapes.js";
import { matrixOfStep, stages, stepOfMatrix, steps } from "./linked-matrices/steps.js";
import { arithmeticMarks, arithmeticHeight } from "./linked-matrices/arithmetic-marks.js";
import type { Mark, Scene } from "./mark.js";
import { wrapText } from "./wrap-text.js";

export type { LinkedMatricesChoices, LinkedMatricesModel, TracedModel } from "./linked-matrices/model.js";
export type { TracedHead } from "./traced-head.js";

/**
 * *Matrices that answer*: queries, keys, scores, weights, values and output of any traced attention, linked. Pointing at a
 * number highlights its operands, and shows its formula and terms. Small maps select the head, of one model or of several
 * side by side; a shape inspector names the axes.
 *
 * The model is made by `linkedMatricesModel` of `@qkv/figures/linked-matrices`, from any traced attention.
 *
 * @example
 * ```ts
 * import { figureSvg } from "@qkv/viz/figures";
 * import { linkedMatrices } from "@qkv/viz/figures/linked-matrices";
 *
 * const frame = (data: number[]) => ({ data, shape: [2, 2] });
 * const head = {
 *   query: frame([1, 0, 0, 2]), key: frame([1, 0, 0, 1]), value: frame([3, 0, 0, 3]),
 *   dots: frame([1, 0, 0, 2]), scale: 1, scores: frame([1, 0, 0, 2]), seen: frame([1, 0, 1, 1]),
 *   weights: frame([1, 0, 0.119, 0.881]), output: frame([3, 0, 0.357, 2.643]),
 * };
 * const models = [{ id: "gpt", name: "GPT", batchSize: 1, numKvHeads: 1, layers: [[head]] }];
 * figureSvg(linkedMatrices, { tokens: ["the", "cat"], models }).includes("weight of key “the” for query “cat”: 0.12"); // => true
 * ```
 */
export const linkedMatrices: Figure<LinkedMatricesModel, LinkedMatricesChoices> = {
  name: "linked-matrices",
  title: "Matrices that answer",
  caption:
    "Point at any number: its row and column light up, and below is how it was made. Hatched: masked. Grey: negative.",
  initial: { text: "the ? moos .", model: "bert", layer: 0, head: 1 },
  modelInputs: ["text"],
  steps,
  scene(model, choices, { step, progress, focus }, width) {
    const to = stageScene(model, choices, step, focus, width);
    if (progress >= 1 || step === 0) return to;
    return transition(stageScene(model, choices, step - 1, focus, width), to, progress);
  },
  controls,
  table: (model, choices, step): FigureTable =>
    matrixTable(model, choices, matrixOfStep[stages[step]!], step),
  formula: () => [
    { text: "softmax(", step: "weights", activeSteps: ["Softmax"] },
    { text: "Q", step: "inputs", activeSteps: ["Q, K, V", "Scores"], color: "query-text" },
    { text: "Kᵀ", step: "dots", activeSteps: ["Q, K, V", "Scores"], color: "key-text" },
    { text: " / √d", step: "scaled", activeSteps: ["Scale"] },
    { text: " + mask", step: "masked", activeSteps: ["Mask"] },
    { text: ")", step: "weights", activeSteps: ["Softmax"] },
    { text: "V", step: "output", activeSteps: ["Q, K, V", "Output"], color: "value-text" },
  ],
  press(model, _, cell) {
    const choices = headOfMap(model, cell);
    return choices && { choices };
  },
};

const exitEnd = 0.15; // progress at which exiting marks are gone

/** The scene between two others: exiting marks fade first, then marks enter and move. */
function transition(from: Scene, to: Scene, t: number): Scene {
  const after = new Set(to.marks.map(({ key }) => key));
  const stays = { ...from, marks: from.marks.filter(({ key }) => after.has(key)) };
  const now =
    t < exitEnd ? between(from, stays, t / exitEnd) : between(stays, to, (t - exitEnd) / (1 - exitEnd));
  return {
    ...now,
    height: to.height,
    ...(to.aside !== undefined && { aside: to.aside }),
    description: to.description,
  };
}

/** The number that a step explains until the reader points at another. */
function firstCell(model: LinkedMatricesModel, choices: LinkedMatricesChoices, step: number): LinkedCell {
  const { head } = chosenHead(model, choices);
  const { row, key } = strongestWeight(model, head);
  const name = matrixOfStep[stages[step]!];
  return { name, row, column: name === "q" || name === "o" ? 0 : key };
}

/** The scene at the end of a step. */
function stageScene(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
  step: number,
  focus: Moment["focus"],
  width: number,
): Scene {
  const stage = stages[step]!;
  const { model: traced, layer, head } = chosenHead(model, choices);
  const layout = linkedLayout(model, head, width, step >= 4);
  const phone = layout.kind === "phone";
  const pointed = parseCell(head, focus);
  const isThere = pointed !== undefined && step >= stepOfMatrix[pointed.name];
  const cell = isThere ? pointed : firstCell(model, choices, step);
  const axis = parseAxis(focus);
  const top = layout.bottom + 34;
  const beside = layout.kind === "band";
  const room = beside ? width - shapesSize.width - 24 : width; // for the arithmetic
  const [left, shapesTop] = beside ? [room + 24, top] : [0, top + arithmeticHeight(phone) + 14];
  const bottom = Math.max(top + arithmeticHeight(phone), shapesTop + shapesSize.height);
  const source = wrapText(model.source ?? "", width, 12);
  const id = `${cell.name}${cell.name === "s" ? stage : ""}:${cell.row}:${cell.column}`;
  const { T, S, D } = headSizes(head);
  return {
    width,
    height: bottom + (model.source === undefined ? 2 : 10 + 16 * source.length),
    ...(layout.kind === "band" && { aside: layout.whole("q").x + layout.whole("q").width - 8 }),
    marks: [
      ...headMaps(model, choices, layout.maps),
      ...matrices({
        model,
        choices,
        step,
        layout,
        lit: axis ? [] : linkedCells(cell),
        pale: isThere && !axis,
        axis,
      }),
      ...arithmeticMarks(id, cellArithmetic(model, choices, cell, step), room, top, phone),
      ...shapes(stage, traced, layer, head, axis, { left, top: shapesTop }),
      ...(model.source === undefined ? [] : source).map((text, i): Mark => ({
        key: `source:${i}`,
        kind: "text",
        x: 0,
        y: bottom + 14 + i * 16,
        text,
        fill: "quiet",
      })),
    ],
    description: `Attention of ${traced.name}, layer ${layer}, on ${T} queries and ${S} keys of ${D} numbers: ${cellArithmetic(model, choices, cell, step).title}.`,
  };
}

function controls(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
): Control<LinkedMatricesChoices>[] {
  const { model: traced, layer } = chosenHead(model, choices);
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, value) => ({ value, label: String(value) }));
  const { texts = [], models } = model;
  return [
    ...(models.length > 1
      ? [
          {
            kind: "choice",
            key: "model",
            label: "Model",
            options: models.map(({ id, name }) => ({ value: id, label: name })),
          } as const,
        ]
      : []),
    ...(traced.layers.length > 1
      ? [{ kind: "choice", key: "layer", label: "Layer", options: numbered(traced.layers.length) } as const]
      : []),
    ...(traced.layers[layer]!.length > 1
      ? [
          {
            kind: "choice",
            key: "head",
            label: "Head",
            options: numbered(traced.layers[layer]!.length),
          } as const,
        ]
      : []),
    ...(texts.length > 1
      ? [
          {
            kind: "select",
            key: "text",
            label: "Text",
            options: texts.map((value) => ({ value, label: value })),
          } as const,
        ]
      : []),
  ];
}
