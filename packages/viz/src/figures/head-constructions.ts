import type { Control, Figure, FigureTable, Moment } from "./figure.js";
import { differenceText, steps } from "./head-constructions/steps.js";
import { focusedHead, panel, type Stages } from "./head-constructions/panel.js";
import { matrixRow } from "./head-constructions/panel-cells.js";
import { parameterAreas, titles } from "./head-constructions/parameter-areas.js";
import type {
  HeadConstruction,
  HeadConstructionsChoices,
  HeadConstructionsModel,
} from "./head-constructions/model.js";
import type { Mark, Scene } from "./mark.js";
import { fixed } from "./fixed.js";

export type {
  ConstructionName,
  HeadConstruction,
  HeadConstructionsChoices,
  HeadConstructionsModel,
  ProjectionName,
} from "./head-constructions/model.js";

/**
 * *What is a head?*: one token through four ways to build heads from the same weights: one matrix whose result is split,
 * a matrix per head, an input that is split first, and full-size heads whose outputs are added. Numbers that differ from
 * those of the first are outlined; areas show parameters.
 *
 * The model is made by `headConstructionsModel` of `@qkv/figures/head-constructions`.
 *
 * @example
 * ```ts
 * import { headConstructions } from "@qkv/viz/figures/head-constructions";
 *
 * headConstructions.name; // => "head-constructions"
 * headConstructions.modelInputs; // => ["numHeads", "largeHeads"]
 * ```
 */
export const headConstructions: Figure<HeadConstructionsModel, HeadConstructionsChoices> = {
  name: "head-constructions",
  title: "What is a head?",
  caption:
    "One token and the same random weights in four layers. Grey: negative. Hatched: 0. Outlined: not as in the first.",
  initial: { construction: "all", numHeads: 2, projection: "query", token: 2, largeHeads: 8 },
  modelInputs: ["numHeads", "largeHeads"],
  steps,
  scene,
  controls,
  table,
};

const stageNames = ["input", "project", "split", "attend", "write", "add", "compare"];

function scene(
  model: HeadConstructionsModel,
  choices: HeadConstructionsChoices,
  moment: Moment,
  width: number,
): Scene {
  const stage = (name: string) => {
    const at = stageNames.indexOf(name);
    return moment.step > at ? 1 : moment.step < at ? 0 : moment.progress;
  };
  const stages: Stages = {
    project: stage("project"),
    cut: stage("split"),
    attend: stage("attend"),
    write: stage("write"),
    add: stage("add"),
  };
  const lit = focusedHead(model, moment.focus);
  const phone = width < 640;
  const margin = phone ? 2 : width < 1200 ? 4 : 8;
  const gap = width < 1200 ? 24 : 40;
  // Two panels are stacked if their cells would be too narrow for numbers side by side.
  const isPair = choices.construction !== "all";
  const columns = phone || (isPair && (width < 1200 || model.numHeads > 2)) ? 1 : 2;
  const panelWidth = (width - 2 * margin - gap * (columns - 1)) / columns;
  const shown = model.constructions.filter(
    ({ name }) => choices.construction === "all" || name === "fused" || name === choices.construction,
  );
  // On a phone cells are too small for numbers: a press shows one.
  const marks: Mark[] = phone
    ? [
        {
          key: "hint",
          kind: "text",
          x: margin,
          y: 14,
          text: "Press a square to read its number.",
          size: 12,
          fill: "quiet",
        },
      ]
    : [];
  let y = phone ? 24 : 4;
  let lowest = y;
  shown.forEach((construction, i) => {
    const place = { x: margin + (i % columns) * (panelWidth + gap), y, width: panelWidth };
    const { marks: panelMarks, layout } = panel(model, construction, choices, stages, lit, place);
    marks.push(...panelMarks, ...partNames(model, construction, choices, stages, layout, place));
    lowest = Math.max(lowest, layout.bottom);
    if (i % columns === columns - 1 || i === shown.length - 1) y = lowest + 18;
  });
  const areas = parameterAreas(model, stage("compare"), {
    x: margin,
    y: y + 4,
    width: width - 2 * margin,
  });
  return { width, height: areas.bottom, marks: [...marks, ...areas.marks], description: describe(model) };
}

function describe({ embedDim, numHeads, constructions }: HeadConstructionsModel): string {
  const each = constructions.map(
    ({ name, maxDifference }) => `${titles[name]}: output differs by ${differenceText(maxDifference.result)}`,
  );
  return `A layer of width ${embedDim} with ${numHeads} heads, built in four ways. ${each.join("; ")}.`;
}

/** Names of the parts of a panel, and its differences to the fused layer. */
function partNames(
  { embedDim: C, numHeads: H, headDim: D }: HeadConstructionsModel,
  { name, maxDifference, output }: HeadConstruction,
  { projection }: HeadConstructionsChoices,
  { cut, add }: Stages,
  { cell, middles, top, under, phone }: ReturnType<typeof panel>["layout"],
  { x, y }: { x: number; y: number },
): Mark[] {
  const letter = { query: "Q", key: "K", value: "V" }[projection];
  const text = (key: string, at: number, baseline: number, text: string, rest: Partial<Mark> = {}): Mark => ({
    key: `${name}:name:${key}`,
    kind: "text",
    x: at,
    y: baseline,
    text,
    anchor: "middle",
    fill: "quiet",
    size: 11,
    ...rest,
  });
  const above = top - 6;
  const right = middles.result + cell / 2;
  const headWidth = name === "summed" ? C : D;
  const isNarrow = H * headWidth * cell < 130;
  const each = isNarrow ? "" : ", each head";
  const perMatrix = {
    fused: `${C} × ${C}`,
    "per-head": `${C} × ${D}${each}`,
    "split-input": `${D} × ${D}${each}`,
    summed: `${C} × ${C}${each}`,
  };
  // Names of the heads, or their numbers alone if names do not fit.
  const headName = (h: number) => (headWidth * cell < 38 ? `${h + 1}` : `head ${h + 1}`);
  const writes = cell < 22 ? "writes" : H === 1 ? "write" : "heads write";
  const hasRoom = right - middles.writes > 42;
  const matrixName = name === "summed" && projection === "value" ? "WV WO" : `W${letter}`;
  const marks = [
    text("title", x, y + 16, titles[name], { anchor: "start", size: 15, weight: 600, fill: "text" }),
    text("x", middles.input, above, "x"),
    text("projected", middles.input, under - cell / 2 + 4, cell < 19 ? letter.toLowerCase() : projection),
    text("weight", middles.weight, above, `${matrixName}: ${perMatrix[name]}`),
    text("shares", middles.attentionWeights, under + 14, "attention"),
    ...(hasRoom ? [text("writes", middles.writes - (phone ? 5 : 0), above, writes)] : []),
    text("result", right, above, "sum", { anchor: "end" }),
    ...middles.heads.map((at, h) =>
      text(`head:${h}`, at, under + 14, headName(h), { opacity: name === "fused" ? cut : 1 }),
    ),
  ];
  if (output && middles.output !== undefined)
    marks.push(
      text("output", middles.output, above, `WO: ${C} × ${C}`),
      text(
        "results",
        middles.output,
        under + 14,
        H === 1 ? "result" : phone ? "results" : "results of the heads",
      ),
    );
  if (name !== "fused") {
    const merged = name === "summed" && projection === "value";
    const first = merged
      ? "WV and WO in one matrix"
      : `${projection}: difference ${differenceText(maxDifference[projection])}${headWidth > D ? ", then zeros" : ""}`;
    marks.push(
      text("difference", phone ? right : middles.weight, under + 32, first, {
        ...(phone && { anchor: "end" }),
        size: 12,
        weight: 600,
        fill: "text",
        opacity: cut,
      }),
      text(
        "difference:result",
        right,
        under + (phone ? 49 : 32),
        `output: difference ${differenceText(maxDifference.result)}`,
        {
          anchor: "end",
          size: 12,
          weight: 600,
          fill: "text",
          opacity: add >= 1 ? 1 : 0,
        },
      ),
    );
  }
  return marks;
}

function controls({ tokens }: HeadConstructionsModel): Control<HeadConstructionsChoices>[] {
  const numbers = (list: readonly number[]) => list.map((value) => ({ value, label: String(value) }));
  return [
    {
      kind: "choice",
      key: "construction",
      label: "Show",
      options: [
        { value: "all", label: "All four" },
        { value: "per-head", label: "Per head" },
        { value: "split-input", label: "Split input" },
        { value: "summed", label: "Full size" },
      ],
    },
    { kind: "choice", key: "numHeads", label: "Heads", options: numbers([1, 2, 4]) },
    {
      kind: "choice",
      key: "projection",
      label: "Projection",
      options: [
        { value: "query", label: "Query" },
        { value: "key", label: "Key" },
        { value: "value", label: "Value" },
      ],
    },
    {
      kind: "select",
      key: "token",
      label: "Token",
      options: tokens.map((label, value) => ({ value, label })),
    },
    { kind: "choice", key: "largeHeads", label: "Heads at width 512", options: numbers([2, 4, 8, 16]) },
  ];
}

function table(
  model: HeadConstructionsModel,
  { projection, token }: HeadConstructionsChoices,
  step: number,
): FigureTable {
  const { constructions, large } = model;
  if (stageNames[step] === "compare")
    return {
      columns: [
        "construction",
        "difference of the output",
        "parameters here",
        `parameters at width ${large.embedDim}`,
      ],
      rows: constructions.map(({ name, maxDifference, parameters }) => [
        titles[name],
        maxDifference.result.toPrecision(3),
        parameters,
        large.parameters[name],
      ]),
    };
  const numbers = (construction: HeadConstruction) =>
    matrixRow(step < 3 ? construction.projected[projection] : construction.result, token).map((value) =>
      fixed(value, 3),
    );
  return {
    columns: ["construction", step < 3 ? projection : "output"],
    rows: constructions.map((construction) => [titles[construction.name], numbers(construction).join(" ")]),
  };
}
