import type { ConstructionName } from "./model.js";

type Point = { x: number; y: number };

/** Positions in a panel, in pixels. The point of a cell is its upper left corner. */
export type PanelLayout = {
  cell: number;
  /** Element i of x, beside row i of the projection. */
  input(i: number): Point;
  /** Weight from input i to output o. */
  weight(i: number, o: number): Point;
  /** Element of x times the projection, below its column. */
  projected(o: number): Point;
  /** Attention weight of a token in a head: a small cell between the projection and the output of the head. */
  attentionWeight(head: number, key: number, tokens: number): Point & { width: number; height: number };
  /** Element of the output of a head, below the column of W_O that it is multiplied with. */
  headOutput?: (o: number) => Point;
  outputWeight?: (c: number, o: number) => Point;
  /** Element of the vector that a head adds, and of the sum of all. */
  write(c: number, head: number): Point;
  result(c: number): Point;
  /** x of the centers of the parts, where their names are. */
  middles: {
    input: number;
    weight: number;
    heads: number[];
    attentionWeights: number;
    output?: number;
    writes: number;
    result: number;
  };
  /** y of the upper edge of the matrices, of the names under the heads, and of the lower end of the panel. */
  top: number;
  under: number;
  bottom: number;
  /** True on a narrow screen, where the names under the heads and the results take two lines. */
  phone: boolean;
};

const gapCells = 0.4;
const attentionWidth = 46;
const headerHeight = 44;

/** Layout of a panel in a width: cells as large as fit, at most 26 pixels. */
export function panelLayout(
  { name, C, H, D, gapped }: { name: ConstructionName; C: number; H: number; D: number; gapped: number },
  { x, y, width }: { x: number; y: number; width: number },
): PanelLayout {
  const hasOutput = name !== "summed";
  const gaps = (H - 1) * gapCells;
  const rows = C + (name === "split-input" ? gaps : 0);
  const projectedCells = H * D + gaps;
  const cells = 1.5 + projectedCells + (hasOutput ? projectedCells + 0.5 : 0) + H + gaps + 1.6;
  const phone = width < 500;
  const between = phone ? 52 : attentionWidth + 14;
  const cell = Math.min(26, (width - between) / cells);
  const gap = gapCells * cell;
  const offset = (index: number, size: number, part = 1) =>
    index * cell + Math.floor(index / size) * gap * part;
  const inputSize = name === "split-input" ? D : C;
  const rowAt = (i: number) => offset(i, inputSize);
  const top = y + headerHeight;
  const weightX = x + 1.5 * cell;
  const height = rows * cell;
  const rowBelow = top + height + 0.5 * cell;
  const weight = (i: number, o: number) => ({ x: weightX + offset(o, D, gapped), y: top + rowAt(i) });
  const weightEnd = weightX + projectedCells * cell;
  const weightsX = weightEnd + 7;
  const weightsWidth = between - 14;
  const outputX = weightEnd + between;
  const outputEnd = hasOutput ? outputX + (projectedCells + 0.5) * cell : outputX;
  const sumX = outputEnd + (H + gaps + 0.6) * cell;
  const weightsRow = Math.min(16, cell);
  return {
    cell,
    input: (i) => ({ x, y: top + rowAt(i) }),
    weight,
    projected: (o) => ({ x: weight(0, o).x, y: rowBelow }),
    attentionWeight: (head, key, tokens) => ({
      x: weightsX + (key * weightsWidth) / tokens,
      y: rowBelow + cell - (H - head) * weightsRow,
      width: weightsWidth / tokens - 1,
      height: weightsRow - 1.5,
    }),
    ...(hasOutput && {
      headOutput: (o: number) => ({ x: outputX + offset(o, D), y: rowBelow }),
      outputWeight: (c: number, o: number) => ({ x: outputX + offset(o, D), y: top + rowAt(c) }),
    }),
    write: (c, head) => ({ x: outputEnd + head * (cell + gap), y: top + rowAt(c) }),
    result: (c) => ({ x: sumX, y: top + rowAt(c) }),
    middles: {
      input: x + cell / 2,
      weight: weightX + (projectedCells * cell) / 2,
      heads: Array.from({ length: H }, (_, h) => weight(0, h * D).x + (D * cell) / 2),
      attentionWeights: weightsX + weightsWidth / 2,
      ...(hasOutput && { output: outputX + (projectedCells * cell) / 2 }),
      writes: outputEnd + ((H + gaps) * cell) / 2,
      result: sumX + cell / 2,
    },
    top,
    under: rowBelow + cell,
    bottom: rowBelow + cell + (!phone ? 40 : name === "fused" ? 22 : 56),
    phone,
  };
}
