import { labelWidth } from "../../picture.js";
import type { ThemeName } from "../../palette.js";
import { numberCell } from "../attention-call/cells.js";
import { columns, range, rows, tokenLabel } from "../attention-call/model.js";
import type { Mark } from "../mark.js";
import { cellText } from "./arithmetic.js";
import type { LinkedLayout } from "./layout.js";
import type { Lit } from "./links.js";
import {
  chosenHead,
  matrixData,
  isVisible,
  keyLabels,
  cellValue,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
  type LinkedMatrix,
} from "./model.js";
import { matrixAxes, type Axis } from "./shapes.js";
import { stepOfMatrix } from "./steps.js";

/** Arguments of the marks of a matrix. */
export type Drawn = {
  model: LinkedMatricesModel;
  choices: LinkedMatricesChoices;
  step: number;
  layout: LinkedLayout;
  lit: readonly Lit[];
  /** True if numbers that are not highlighted are pale. */
  pale: boolean;
  axis: Axis | undefined;
};

const all: readonly LinkedMatrix[] = ["q", "k", "s", "a", "v", "o"];
const colors: Record<LinkedMatrix, ThemeName> = {
  q: "query",
  k: "key",
  v: "value",
  s: "weight",
  a: "weight",
  o: "value",
};

export function matrices(drawn: Drawn): Mark[] {
  return all.filter(drawn.layout.shows).flatMap((name) => matrix(name, drawn));
}

function matrix(name: LinkedMatrix, drawn: Drawn): Mark[] {
  const { model, choices, step, layout, lit, pale, axis } = drawn;
  const { head } = chosenHead(model, choices);
  const scaled = step >= 2;
  const masks = step >= 3;
  const frame = matrixData(head, name, scaled);
  const isThere = step >= stepOfMatrix[name];
  const whole = layout.whole(name);
  const marks: Mark[] = [...surroundings(name, drawn, isThere)];
  if (!isThere) {
    marks.push({ key: `coming:${name}`, kind: "rect", ...whole, radius: 4, stroke: "hatch", dash: true });
    return marks;
  }
  const scale = Math.max(1e-9, ...Array.from(frame.data, Math.abs));
  const isLit = (row: number, column: number) =>
    lit.some((each) => each.name === name && (each.row ?? row) === row && (each.column ?? column) === column);
  for (let row = 0; row < rows(frame); row++) {
    for (let column = 0; column < columns(frame); column++) {
      const box = layout.place(name, row, column);
      const hidden =
        (name === "s" || name === "a") && (masks || name === "a") && !isVisible(head, row, column);
      const address = `${name}:${row}:${column}`;
      const { text, ...cell } = numberCell(
        address,
        box,
        cellValue(head, { name, row, column }, scaled),
        colors[name],
        {
          digits: name === "a" || box.width >= 42 ? 2 : 1,
          size: box.width < 42 ? 11 : 12,
          scale: name === "a" ? 1 : scale,
          weight: name === "a",
          hatch: hidden ? 1 : 0,
          dim: pale && !isLit(row, column),
        },
      );
      marks.push({
        ...cell,
        // On a pale cell of a medium shade, dark text has more contrast.
        ...(pale && cell.fillOpacity! > 0.25 && cell.fillOpacity! < 0.55 && { textFill: "text" as const }),
        // Either all numbers of a matrix are written or none.
        ...(box.width >= 30 && text !== undefined && { text }),
        ...(name === "a" && { home: `s:${row}:${column}` }),
        cell: address,
        ariaLabel: cellText(model, choices, { name, row, column }, scaled, masks),
      });
    }
  }
  marks.push(...rings(name, drawn), ...(axis ? bracket(name, axis, drawn) : []));
  return marks;
}

/** The name and the shape of a matrix, and the names of its rows and columns. */
function surroundings(
  name: LinkedMatrix,
  { model, choices, step, layout, lit }: Drawn,
  isThere: boolean,
): Mark[] {
  const { head } = chosenHead(model, choices);
  const [R, C] = matrixData(head, name, true).shape as [number, number];
  const whole = layout.whole(name);
  const titles: Record<LinkedMatrix, string> = {
    q: "Q",
    k: "Kᵀ",
    v: "V",
    s: step < 2 ? "scores" : step < 3 ? "scores / √d" : "masked scores",
    a: "weights",
    o: "output",
  };
  const textColors: Partial<Record<LinkedMatrix, ThemeName>> = {
    q: "query-text",
    k: "key-text",
    v: "value-text",
    o: "value-text",
  };
  // Below a result, above what it is made from.
  const below = name === "s" || name === "a" || name === "o" || name === "q";
  const keyNames = columnNames(name, model, whole.width / (name === "k" ? R : C));
  const y = below ? whole.y + whole.height + 18 : whole.y - 8 - (keyNames?.height ?? 0);
  const title = titles[name];
  const marks: Mark[] = [
    {
      key: `title:${name}`,
      kind: "text",
      x: whole.x,
      y,
      text: title,
      size: 14,
      weight: 600,
      fill: textColors[name] ?? "text",
      opacity: isThere ? 1 : 0.6,
      layer: 1,
    },
  ];
  const shape = name === "k" ? `${C} × ${R}` : `${R} × ${C}`;
  if (labelWidth([title]) * 1.25 + labelWidth([shape]) + 10 < whole.width)
    marks.push({
      key: `shape:${name}`,
      kind: "text",
      x: whole.x + whole.width,
      y,
      text: shape,
      anchor: "end",
      size: 11,
      fill: "quiet",
      layer: 1,
    });
  keyNames?.names.forEach((text, c) => {
    const box = name === "k" ? layout.place("k", c, 0) : layout.place(name, 0, c);
    const strong = lit.some((each) => each.name === name && (name === "k" ? each.row : each.column) === c);
    marks.push({
      key: `name:${name}:c${c}`,
      kind: "text",
      x: box.x + box.width / 2 + (keyNames.rotated ? 4 : 0),
      y: whole.y - (keyNames.rotated ? 5 : 6),
      text,
      ...(keyNames.rotated ? { rotate: -70 } : { anchor: "middle" }),
      size: 12,
      weight: strong ? 600 : 400,
      fill: strong ? "key-text" : "quiet",
      layer: 1,
    });
  });
  const first = name === "q" || name === "a" || name === "v";
  if (first) {
    const names = name === "v" ? keyLabels(model) : model.tokens;
    names.map(tokenLabel).forEach((text, r) => {
      const box = layout.place(name, r, 0);
      // The rows of Q, scores, weights and output are those of one query.
      const same = name === "v" ? "v" : "qsao";
      const strong = lit.some((each) => same.includes(each.name) && each.row === r);
      marks.push({
        key: `name:${name}:r${r}`,
        kind: "text",
        x: box.x - 6,
        y: box.y + box.height / 2 + 4,
        text,
        anchor: "end",
        size: 12,
        weight: strong ? 600 : 400,
        fill: strong ? (name === "v" ? "value-text" : "query-text") : "quiet",
        layer: 1,
      });
    });
  }
  return marks;
}

/** Names of keys above their columns, rotated where they do not fit. */
function columnNames(name: LinkedMatrix, model: LinkedMatricesModel, cell: number) {
  if (name !== "k" && name !== "a") return undefined;
  const names = keyLabels(model).map(tokenLabel);
  const rotated = labelWidth(names) > cell;
  return { names, rotated, height: rotated ? Math.min(64, labelWidth(names) * 0.94 + 4) : 17 };
}

/** Outlines of the highlighted cell, rows and columns. */
function rings(name: LinkedMatrix, { model, choices, layout, lit }: Drawn): Mark[] {
  const { head } = chosenHead(model, choices);
  const [R, C] = matrixData(head, name, true).shape as [number, number];
  return lit.flatMap((each, n): Mark[] => {
    if (each.name !== name) return [];
    const [first, last] = [
      layout.place(name, each.row ?? 0, each.column ?? 0),
      layout.place(name, each.row ?? R - 1, each.column ?? C - 1),
    ];
    const [x, y] = [Math.min(first.x, last.x), Math.min(first.y, last.y)];
    const isCell = n === 0;
    return [
      {
        key: `ring:${n}:${name}`,
        kind: "rect",
        x: x - 1,
        y: y - 1,
        width: Math.max(first.x, last.x) + first.width - x + 2,
        height: Math.max(first.y, last.y) + first.height - y + 2,
        radius: 4,
        stroke: isCell ? "text" : colors[name],
        strokeWidth: isCell ? 2.5 : 2,
        layer: 2,
      },
    ];
  });
}

/** A line along the sides of a matrix that belong to an axis of the shape inspector. */
function bracket(name: LinkedMatrix, axis: Axis, { layout }: Drawn): Mark[] {
  const [down, across] = matrixAxes[name];
  const { x, y, width, height } = layout.whole(name);
  const line = (key: string, box: { x: number; y: number; width: number; height: number }): Mark => ({
    key: `axis:${name}:${key}`,
    kind: "rect",
    ...box,
    radius: 2,
    fill: "weight",
    layer: 2,
  });
  return [
    ...(down === axis ? [line("down", { x: x - 5, y, width: 4, height })] : []),
    ...(across === axis ? [line("across", { x, y: y - 5, width, height: 4 })] : []),
  ];
}

/** Rows of a matrix for the table. */
export function matrixTable(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
  name: LinkedMatrix,
  step: number,
) {
  const { head } = chosenHead(model, choices);
  const frame = matrixData(head, name, step >= 2);
  const isMap = name === "s" || name === "a";
  return {
    columns: [
      {
        q: "query of",
        k: "key of",
        v: "value of",
        s: "score for query",
        a: "weight for query",
        o: "output of",
      }[name],
      ...range(columns(frame)).map((c) => (isMap ? tokenLabel(keyLabels(model)[c]!) : String(c + 1))),
    ],
    rows: range(rows(frame)).map((r) => [
      tokenLabel((name === "k" || name === "v" ? keyLabels(model) : model.tokens)[r]!),
      ...range(columns(frame)).map((c) =>
        isMap && (step >= 3 || name === "a") && !isVisible(head, r, c)
          ? "masked"
          : Number(cellValue(head, { name, row: r, column: c }, step >= 2).toFixed(4)),
      ),
    ]),
  };
}
