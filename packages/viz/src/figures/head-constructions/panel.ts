import { easeCubicInOut } from "d3-ease";
import type { Mark } from "../mark.js";
import type { HeadConstruction, HeadConstructionsChoices, HeadConstructionsModel } from "./model.js";
import { differenceOutline, headOpacity, matrixRow, vectorCells, weightCell } from "./panel-cells.js";
import { panelLayout, type PanelLayout } from "./panel-layout.js";
import { fixed } from "../fixed.js";

/** Progress of each stage, from 0 to 1. */
export type Stages = { project: number; cut: number; attend: number; write: number; add: number };

/** Arguments of the parts of a panel. */
type Panel = {
  model: HeadConstructionsModel;
  construction: HeadConstruction;
  choices: HeadConstructionsChoices;
  stages: Stages;
  layout: PanelLayout;
  /** Width of a head in this construction. */
  D: number;
  lit: number | undefined;
};

const shownFrom = (part: number, index: number, count: number) =>
  Math.min(1, Math.max(0, part * (count + 1) - index));

/** Marks of one construction: x, the projection, the attention of the heads, the output matrix, and the sum of their contributions. */
export function panel(
  model: HeadConstructionsModel,
  construction: HeadConstruction,
  choices: HeadConstructionsChoices,
  stages: Stages,
  lit: number | undefined,
  place: { x: number; y: number; width: number },
): { marks: Mark[]; layout: PanelLayout } {
  const { name } = construction;
  const { embedDim: C, numHeads: H, headDim } = model;
  const D = name === "summed" ? C : headDim;
  const gapped = name === "fused" ? easeCubicInOut(stages.cut) : 1;
  const layout = panelLayout({ name, C, H, D, gapped }, place);
  const parts: Panel = { model, construction, choices, stages, layout, D, lit };
  return { marks: [...projection(parts), ...attention(parts), ...output(parts), ...sum(parts)], layout };
}

/** Head of a cell that is pointed at. */
export function focusedHead({ headDim, embedDim }: HeadConstructionsModel, focus: string | undefined) {
  const [, name, kind, column] = /^(.*)-(q|write):\d+:(\d+)$/.exec(focus ?? "") ?? [];
  if (column === undefined) return undefined;
  return kind === "write"
    ? Number(column)
    : Math.floor(Number(column) / (name === "summed" ? embedDim : headDim));
}

/** The input and the projection that the reader follows. */
function projection({ model, construction, choices, stages, layout, D, lit }: Panel): Mark[] {
  const { name } = construction;
  const { embedDim: C, headDim, tokens } = model;
  const style = { cell: layout.cell, lit };
  const matrix = construction.projections[choices.projection];
  const values = matrixRow(construction.projected[choices.projection], choices.token);
  const ofFirst = matrixRow(model.constructions[0]!.projected[choices.projection], choices.token);
  const current = stages.project < 1 ? Math.floor(stages.project * values.length) : -1;
  const headIndex = (o: number) => Math.floor(o / D);
  const marks = [
    ...vectorCells(`${name}:x`, { ...style, lit: undefined }, matrixRow(model.x, choices.token), "cost", {
      at: layout.input,
      ariaLabel: (i) => `number ${i + 1} of “${tokens[choices.token]!}”`,
      address: (i) => `${name}-x:${i}:0`,
    }),
    ...vectorCells(`${name}:q`, style, values, choices.projection, {
      at: layout.projected,
      shown: (o) => shownFrom(stages.project, o, values.length),
      head: headIndex,
      ariaLabel: (o) => `${choices.projection} of head ${headIndex(o) + 1}, number ${(o % D) + 1}`,
      address: (o) => `${name}-q:0:${o}`,
    }),
  ];
  values.forEach((value, o) => {
    const head = headIndex(o);
    for (let i = 0; i < C; i++) {
      const isMissing = name === "split-input" && Math.floor(i / D) !== head;
      const mark = weightCell(`${name}:w:${o}:${i}`, style, matrix.data[o * C + i]!, choices.projection, {
        at: layout.weight(i, o),
        head,
        missing: isMissing ? `head ${head + 1} does not read number ${i + 1}` : undefined,
        ariaLabel: `weight from number ${i + 1} to number ${(o % D) + 1} of head ${head + 1}`,
      });
      marks.push(o === current && stages.project > 0 ? { ...mark, stroke: "text" } : mark);
    }
    // The values of summed heads include the output matrix, so they are not compared.
    if (stages.cut === 0 || (name === "summed" && choices.projection === "value")) return;
    const like = o % D < headDim ? ofFirst[head * headDim + (o % D)]! : 0;
    if (Math.abs(value - like) > 1e-4)
      marks.push(
        differenceOutline(
          `${name}:q:${o}:differs`,
          layout.projected(o),
          layout.cell,
          stages.cut * headOpacity(lit, head),
        ),
      );
  });
  return marks;
}

/** Weights of each head over the tokens. */
function attention({ model, construction, choices, stages, layout, lit }: Panel): Mark[] {
  const { numHeads, tokens } = model;
  return Array.from({ length: numHeads }, (_, head) =>
    matrixRow(construction.weights, head * tokens.length + choices.token).map((weight, key): Mark => ({
      key: `${construction.name}:share:${head}:${key}`,
      kind: "rect",
      ...layout.attentionWeight(head, key, tokens.length),
      radius: 1,
      fill: "weight",
      fillOpacity: stages.attend > 0 ? 0.08 + 0.9 * weight * stages.attend : 0.04,
      stroke: "rule",
      opacity: headOpacity(lit, head),
      ariaLabel: `weight of “${tokens[key]!}” for “${tokens[choices.token]!}” in head ${head + 1}: ${fixed(weight, 3)}`,
    })),
  ).flat();
}

/** Outputs of the heads, and the output matrix if there is one. */
function output({ model, construction, choices, stages, layout, D, lit }: Panel): Mark[] {
  const { name, output: matrix } = construction;
  const { headOutput, outputWeight, cell } = layout;
  if (!matrix || !headOutput || !outputWeight) return [];
  const style = { cell, lit };
  const results = matrixRow(construction.heads, choices.token);
  const headIndex = (o: number) => Math.floor(o / D);
  const marks = vectorCells(`${name}:o`, style, results, "value", {
    at: headOutput,
    shown: (o) => shownFrom(stages.attend, o, results.length),
    head: headIndex,
    ariaLabel: (o) => `result of head ${headIndex(o) + 1}, number ${(o % D) + 1}`,
  });
  for (let c = 0; c < model.embedDim; c++)
    for (let o = 0; o < results.length; o++) {
      const head = headIndex(o);
      const isMissing = name === "split-input" && Math.floor(c / D) !== head;
      marks.push(
        weightCell(`${name}:wo:${c}:${o}`, style, matrix.data[c * results.length + o]!, "cost", {
          at: outputWeight(c, o),
          head,
          missing: isMissing ? `head ${head + 1} does not write number ${c + 1}` : undefined,
          ariaLabel: `WO, number ${c + 1} from number ${(o % D) + 1} of head ${head + 1}`,
        }),
      );
    }
  return marks;
}

/** Contributions of the heads, which move onto their sum while they are added. */
function sum({ model, construction, choices, stages, layout, lit }: Panel): Mark[] {
  const { name } = construction;
  const { numHeads: H, embedDim: C, tokens } = model;
  const { cell, write, result } = layout;
  const style = { cell, lit };
  const moved = easeCubicInOut(stages.add);
  const marks: Mark[] = [];
  for (let head = 0; head < H; head++) {
    const values = matrixRow(construction.writes, head * tokens.length + choices.token);
    marks.push(
      ...vectorCells(`${name}:write:${head}`, style, values, "value", {
        at: (c) => write(c, head),
        shown: () => shownFrom(stages.write, head, H),
        head: () => head,
        ariaLabel: (c) => `head ${head + 1} writes to number ${c + 1}`,
        address: (c) => `${name}-write:${c}:${head}`,
      }),
    );
    if (stages.add > 0 && stages.add < 1) {
      const at = (c: number) => {
        const [from, to] = [write(c, head), result(c)];
        return { x: from.x + moved * (to.x - from.x), y: to.y };
      };
      const moving = vectorCells(`${name}:moving:${head}`, style, values, "value", {
        at,
        ariaLabel: () => "",
      });
      marks.push(
        ...moving.map(({ ariaLabel: _, ...mark }): Mark => ({ ...mark, text: "", opacity: 0.8, layer: 1 })),
      );
    }
  }
  const total = matrixRow(construction.result, choices.token);
  const ofFirst = matrixRow(model.constructions[0]!.result, choices.token);
  marks.push(
    ...vectorCells(`${name}:sum`, { ...style, lit: undefined }, total, "value", {
      at: result,
      shown: () => (stages.add >= 1 ? 1 : 0),
      ariaLabel: (c) => `output for “${tokens[choices.token]!}”, number ${c + 1}`,
      address: (c) => `${name}-sum:${c}:0`,
    }),
  );
  if (stages.add >= 1)
    total.forEach((value, c) => {
      if (Math.abs(value - ofFirst[c]!) > 1e-4)
        marks.push(differenceOutline(`${name}:sum:${c}:differs`, result(c), cell, 1));
    });
  if (cell >= 22 && stages.write > 0) marks.push(...signs());
  return marks;

  /** Plus and equals, halfway down. */
  function signs(): Mark[] {
    const sign = (key: string, from: number, to: number, text: string): Mark => ({
      key: `${name}:sign:${key}`,
      kind: "text",
      x: (from + cell + to) / 2,
      y: write(C / 2, 0).y - 2,
      text,
      anchor: "middle",
      size: 12,
      weight: 600,
      opacity: stages.write,
    });
    const columns = Array.from({ length: H }, (_, head) => write(0, head).x);
    const plus = columns.slice(1).map((x, i) => sign(`${i}`, columns[i]!, x, "+"));
    return [...plus, sign("sum", columns.at(-1)!, result(0).x, "=")];
  }
}
