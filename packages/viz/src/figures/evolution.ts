import { labelWidth } from "../picture.js";
import { between } from "./between.js";
import type { Control, Figure, Moment } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { wrapText } from "./wrap-text.js";
import { costBars, costHeight, flopsText, fullScale } from "./evolution/cost-bars.js";
import { diagram, diagramHeight } from "./evolution/diagram.js";
import type { EvolutionChoices, EvolutionModel, EvolutionStep } from "./evolution/model.js";
import { stepText } from "./evolution/step-text.js";

export type { EvolutionChoices, EvolutionModel, EvolutionStep, WeightMap } from "./evolution/model.js";

/**
 * *The evolution of attention*: mechanisms since 2014, each on the same six words. A step states the problem that the
 * mechanism solves, its formula, lines of code, paper, and cost for one reference model. Two steps can be compared.
 *
 * @example
 * ```ts
 * import { evolution } from "@qkv/viz/figures/evolution";
 *
 * evolution.initial; // => { compare: "" }
 * ```
 */
export const evolution: Figure<EvolutionModel, EvolutionChoices> = {
  name: "evolution",
  title: "The evolution of attention",
  caption:
    "Each step changes one thing about the previous step. All use the same six words and the same reference model for the cost.",
  initial: { compare: "" },
  steps: ({ steps }) =>
    steps.map(({ id, year, title, seen, paper }, i) => ({
      id,
      chapter: year,
      title: `${year} · ${title}`,
      text: seen,
      source: { text: `${paper.authors}: ${paper.title}`, url: paper.url },
      milliseconds: i === 0 ? 1500 : 4000,
    })),
  scene,
  controls: ({ steps }): Control<EvolutionChoices>[] => [
    {
      kind: "select",
      key: "compare",
      label: "Compare with",
      options: [
        { value: "", label: "none" },
        ...steps.map(({ id, year, title }) => ({ value: id, label: `${year} · ${title}` })),
      ],
    },
  ],
  table: ({ steps }) => ({
    columns: ["year", "mechanism", "cache per token (bytes)", "work per new token (operations)", "paper"],
    rows: steps.map(({ year, title, cacheBytesPerToken, flopsPerToken, paper }) => [
      year,
      title,
      cacheBytesPerToken,
      flopsPerToken,
      `${paper.authors}: ${paper.title}, ${paper.url}`,
    ]),
  }),
  press: ({ steps }, _, cell) => {
    const [block, , column] = cell.split(":");
    const step = block === "time" ? steps[Number(column)] : undefined;
    return step && { step: step.id };
  },
};

function scene(model: EvolutionModel, { compare }: EvolutionChoices, moment: Moment, width: number): Scene {
  const { steps } = model;
  const to = steps[moment.step]!;
  const from = steps[moment.step - 1] ?? to;
  const other = steps.find(({ id }) => id === compare);
  const still = (step: EvolutionStep) => stillScene(model, step, other, width);
  if (moment.progress >= 1 || from === to) return still(to);
  const interpolated = between(still(from), still(to), moment.progress);
  // Texts are not interpolated: the old ones fade out, then the new ones fade in.
  const [first, t] = [moment.progress < 0.5, Math.abs(2 * moment.progress - 1)];
  const words = still(first ? from : to).marks.filter(isText);
  return {
    ...interpolated,
    marks: [
      ...interpolated.marks.filter((mark) => !isText(mark)),
      ...words.map((mark) => ({ ...mark, opacity: (mark.opacity ?? 1) * t })),
    ],
  };
}

const isText = ({ key }: Mark) => key.startsWith("text:");

function stillScene(
  model: EvolutionModel,
  step: EvolutionStep,
  other: EvolutionStep | undefined,
  width: number,
): Scene {
  const { steps } = model;
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const inner = width - 2 * margin;
  const line = timeline(model, step, other, { x: margin, y: 0, width: inner });
  const marks = [...line.marks];
  const top = line.height + 14;
  const before = steps[steps.indexOf(step) - 1];
  let bottom = top;
  const column = (
    shown: EvolutionStep,
    prefix: string,
    was: EvolutionStep | undefined,
    x: number,
    y: number,
    w: number,
  ) => {
    marks.push(...diagram(model, shown, prefix, { x, y, width: w }));
    let at = y + diagramHeight(w) + 8;
    marks.push(...costBars(model, shown, was, prefix, { x, y: at, width: w }));
    at += costHeight + 14;
    const text = stepText(shown, prefix, { x, y: at, width: w });
    marks.push(...text.marks);
    return at + text.height;
  };
  if (other) {
    const gap = 44;
    const w = phone ? inner : (inner - gap) / 2;
    const end = column(step, "", other, margin, top, w);
    const second = phone ? { x: margin, y: end + 30 } : { x: margin + w + gap, y: top };
    bottom = Math.max(end, column(other, "other:", step, second.x, second.y, w));
  } else if (width < 940) {
    bottom = column(step, "", before, margin, top, inner);
  } else {
    const w = inner * 0.58;
    const gap = 36;
    marks.push(...diagram(model, step, "", { x: margin, y: top, width: w }));
    const y = top + diagramHeight(w) + 8;
    marks.push(...costBars(model, step, before, "", { x: margin, y, width: w }));
    const x = margin + w + gap;
    const text = stepText(step, "", { x, y: top + 8, width: margin + inner - x });
    marks.push(...text.marks);
    // The height of the longest text, so that the layout stays from step to step.
    const tallest = Math.max(
      ...steps.map((each) => stepText(each, "", { x, y: 0, width: margin + inner - x }).height),
    );
    bottom = Math.max(y + costHeight, top + 8 + tallest);
  }
  wrapText(model.reference, inner).forEach((text, i) => {
    marks.push({
      key: `reference:${i}`,
      kind: "text",
      x: margin,
      y: bottom + 26 + 16 * i,
      text,
      fill: "quiet",
    });
  });
  const height = bottom + 26 + 16 * wrapText(model.reference, inner).length;
  const summary = (each: EvolutionStep) =>
    `${each.title}, ${each.year}. ${each.seen} Work: ${flopsText(each.flopsPerToken)}; cache: ${each.cacheBytesPerToken} bytes per token.`;
  return {
    width,
    height,
    marks,
    description: other ? `${summary(step)} Compared with: ${summary(other)}` : summary(step),
  };
}

/** The timeline: years and names with two small bars each. A press goes to the step. */
function timeline(
  model: EvolutionModel,
  shown: EvolutionStep,
  other: EvolutionStep | undefined,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const { steps } = model;
  const full = fullScale(model);
  const numRows = width / steps.length < 44 ? 2 : 1;
  const perRow = Math.ceil(steps.length / numRows);
  const pitch = width / perRow;
  const named = steps.every(({ name }) => labelWidth(nameLines(name)) < pitch - 6);
  const rowHeight = named ? 116 : 88;
  const marks: Mark[] = [];
  for (let row = 0; row < numRows; row++)
    marks.push({
      key: `time:axis:${row}`,
      kind: "path",
      x,
      y: y + row * rowHeight + 56,
      d: `M0 0H${width}`,
      stroke: "rule",
      strokeWidth: 2,
    });
  steps.forEach((step, i) => {
    const middle = x + ((i % perRow) + 0.5) * pitch;
    const top = y + Math.floor(i / perRow) * rowHeight;
    const [base, axis] = [top + 44, top + 56];
    const isShown = step === shown;
    const cache = Math.min(1, step.cacheBytesPerToken / full.cache) * 38;
    const exceedsScale = step.flopsPerToken > full.work;
    const work = Math.min(1, step.flopsPerToken / full.work) * 38;
    marks.push(
      {
        key: `time:${i}:cache`,
        kind: "rect",
        x: middle - 10,
        y: base - Math.max(1, cache),
        width: 9,
        height: Math.max(1, cache),
        radius: 1,
        fill: "text",
      },
      {
        key: `time:${i}:work`,
        kind: "rect",
        x: middle + 1,
        y: base - Math.max(1, work),
        width: 9,
        height: Math.max(1, work),
        radius: 1,
        fill: "cost",
      },
      ...(exceedsScale
        ? [
            {
              key: `time:${i}:cut`,
              kind: "path",
              x: middle - 1,
              y: base - 32,
              d: "M0 6L13 0M0 11L13 5",
              stroke: "paper",
              strokeWidth: 2,
            } satisfies Mark,
          ]
        : []),
      {
        key: `time:${i}:dot`,
        kind: "circle",
        x: middle,
        y: axis,
        radius: isShown ? 6 : 4,
        fill: isShown ? "text" : step === other ? "cost" : "paper",
        stroke: "text",
        strokeWidth: 1.5,
      },
      {
        key: `time:${i}:year`,
        kind: "text",
        x: middle,
        y: axis + 22,
        text: step.year,
        anchor: "middle",
        size: named ? 12 : 11,
        fill: isShown ? "text" : "quiet",
        ...(isShown && { weight: 700 as const }),
      },
      ...(named ? nameLines(step.name) : []).map((text, part): Mark => ({
        key: `time:${i}:name:${part}`,
        kind: "text",
        x: middle,
        y: axis + 38 + 14 * part,
        text,
        anchor: "middle",
        fill: "text",
        ...(isShown && { weight: 700 }),
      })),
      {
        key: `time:${i}:press`,
        kind: "rect",
        x: middle - pitch / 2,
        y: top,
        width: pitch,
        height: rowHeight - 4,
        fill: "paper",
        fillOpacity: 0,
        layer: 2,
        ariaLabel: `${step.year}, ${step.title}: open this step`,
        cell: `time:0:${i}`,
      },
    );
  });
  let [left, legendY] = [x, y + numRows * rowHeight + 10];
  for (const [id, color, text] of [
    ["cache", "text", "cache per token"],
    ["work", "cost", "work per token; a cut bar exceeds the scale"],
  ] as const) {
    const needed = 14 + labelWidth([text]);
    if (left > x && left + needed > x + width) [left, legendY] = [x, legendY + 18];
    const key = `time:legend:${id}`;
    marks.push(
      { key, kind: "rect", x: left, y: legendY - 9, width: 9, height: 9, fill: color },
      { key: `${key}:text`, kind: "text", x: left + 14, y: legendY, text, size: 11, fill: "quiet" },
    );
    left += needed + 10;
  }
  return { marks, height: legendY + 8 - y };
}

/** A name in two lines, broken at its space or after its hyphen. */
const nameLines = (name: string): string[] => name.split(/ |(?<=-)/);
