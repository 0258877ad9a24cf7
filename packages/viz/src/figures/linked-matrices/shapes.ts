import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";
import { headSizes, type LinkedMatrix, type TracedModel } from "./model.js";
import type { TracedHead } from "../traced-head.js";
import type { Stage } from "./steps.js";

/** An axis of a tensor. */
export type Axis = "B" | "H" | "G" | "T" | "S" | "D";

type Shape = { name: string; color: ThemeName; axes: readonly Axis[] };

const q: Shape = { name: "Q", color: "query-text", axes: ["B", "H", "T", "D"] };
const k: Shape = { name: "K", color: "key-text", axes: ["B", "G", "S", "D"] };
const transposed: Shape = { name: "Kᵀ", color: "key-text", axes: ["B", "G", "D", "S"] };
const v: Shape = { name: "V", color: "value-text", axes: ["B", "G", "S", "D"] };
const scores: Shape = { name: "scores", color: "text", axes: ["B", "H", "T", "S"] };
const weights: Shape = { name: "weights", color: "text", axes: ["B", "H", "T", "S"] };
const output: Shape = { name: "output", color: "value-text", axes: ["B", "H", "T", "D"] };

/** Tensors of a step: its operands, then its result. */
const tensors: Record<Stage, readonly Shape[]> = {
  inputs: [q, k, v],
  dots: [q, transposed, scores],
  scaled: [q, transposed, scores],
  masked: [q, transposed, scores],
  weights: [scores, weights],
  output: [weights, v, output],
};

/** Axes of each matrix of the picture: rows, columns. */
export const matrixAxes: Record<LinkedMatrix, readonly [Axis, Axis]> = {
  q: ["T", "D"],
  k: ["D", "S"],
  v: ["S", "D"],
  s: ["T", "S"],
  a: ["T", "S"],
  o: ["T", "D"],
};

/** The axis of an address of the shape inspector. */
export function parseAxis(address: string | undefined): Axis | undefined {
  return /^axis:\d+:\d+:([BHGTSD])$/.exec(address ?? "")?.[1] as Axis | undefined;
}

const pitch = 46; // from one tensor to the next
const [nameWidth, axisWidth] = [66, 64];

/** Size of the shape inspector: up to three tensors, one below the other. Unit: pixels. */
export const shapesSize = { width: 330, height: 28 + 3 * pitch };

/** The shapes of a step's tensors, each axis with its size and its name. */
export function shapes(
  stage: Stage,
  { batchSize, numKvHeads, layers }: TracedModel,
  layer: number,
  head: TracedHead,
  lit: Axis | undefined,
  { left, top }: { left: number; top: number },
): Mark[] {
  const { T, S, D } = headSizes(head);
  const H = layers[layer]!.length;
  const sizes = { B: batchSize, H, G: numKvHeads, T, S, D };
  const names = { B: "batch", H: "heads", G: "KV heads", T: "queries", S: "keys", D: "head size" };
  if (numKvHeads === H) names.G = "heads";
  const meanings: Record<Axis, string> = {
    B: batchSize === 1 ? "text in the batch" : "texts in the batch; the first one is drawn",
    H: "query heads; the chosen one is drawn",
    G:
      numKvHeads === H
        ? "heads; the chosen one is drawn"
        : "heads of keys and values, which query heads share",
    T: "queries: one for each row",
    S: "keys: one for each column of the scores",
    D: "numbers in a query, a key or a value",
  };
  const letter = (axis: Axis) => (axis === "G" ? "H" : axis);
  const marks: Mark[] = [
    { key: "shapes:title", kind: "text", x: left, y: top + 14, text: "Shapes", size: 15, weight: 600 },
    {
      key: "shapes:note",
      kind: "text",
      x: left + 70,
      y: top + 14,
      text: "of all heads. Point at an axis.",
      fill: "quiet",
      size: 12,
    },
  ];
  tensors[stage].forEach(({ name, color, axes }, n) => {
    const y = top + 28 + n * pitch;
    marks.push({
      key: `shape:${n}:name`,
      kind: "text",
      x: left,
      y: y + 17,
      text: name,
      fill: color,
      weight: 600,
      size: 14,
    });
    axes.forEach((axis, i) => {
      const x = left + nameWidth + i * axisWidth;
      const inPicture = axis === "T" || axis === "S" || axis === "D";
      marks.push(
        {
          key: `shape:${n}:${i}`,
          kind: "rect",
          x: x + 1,
          y: y + 1,
          width: axisWidth - 4,
          height: 23,
          radius: 4,
          fill: "weight",
          fillOpacity: lit === axis ? 0.22 : inPicture ? 0.07 : 0,
          stroke: lit === axis ? "weight" : "rule",
          strokeWidth: lit === axis ? 2 : 1,
          text: `${letter(axis)} ${sizes[axis]}`,
          size: 13,
          cell: `axis:${n}:${i}:${axis}`,
          ariaLabel: `${letter(axis)}, axis ${i + 1} of ${name}: ${sizes[axis]} ${meanings[axis]}`,
        },
        {
          key: `shape:${n}:${i}:name`,
          kind: "text",
          x: x + axisWidth / 2 - 1,
          y: y + 37,
          text: names[axis],
          anchor: "middle",
          size: 11,
          fill: lit === axis ? "text" : "quiet",
        },
      );
    });
  });
  return marks;
}
