import type { Mark } from "../mark.js";
import { shownLetter, type EncoderDecoderAttentionModel } from "./model.js";
import { blockSize, vectorCells } from "./vector-cells.js";
import { fixed } from "../fixed.js";

const cell = 7;

/** The arithmetic of one score: v · tanh(W s + U h). */
export function scoreArithmetic(
  { source, decoded, projectedKeys, scoreWeights }: EncoderDecoderAttentionModel,
  output: number,
  column: number,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const { projectedQuery, scores } = decoded[output]!;
  const key = projectedKeys[column]!;
  const hidden = projectedQuery.map((value, i) => Math.tanh(value + key[i]!));
  const block = blockSize(key.length, cell);
  const top = y + 44;
  const names = ["W s", "U h", "tanh", "v"] as const;
  const signs = ["+", "→", "·", "="];
  const gap = Math.min(44, (width - 4 * block.width - 52) / 4);
  const at = (i: number) => x + 3 + i * (block.width + gap);
  const scale = Math.max(...projectedQuery.map(Math.abs), ...key.map(Math.abs));
  const vectors = [
    { numbers: projectedQuery, color: "query", scale, ariaLabel: "W times the decoder's state" },
    {
      numbers: key,
      color: "key",
      scale,
      ariaLabel: `U times the annotation of “${shownLetter(source[column]!)}”`,
    },
    { numbers: hidden, color: "text", scale: 1, ariaLabel: "tanh of their sum" },
    {
      numbers: scoreWeights,
      color: "text",
      scale: Math.max(...scoreWeights.map(Math.abs)),
      ariaLabel: "v, the weights of the score",
    },
  ] as const;
  const marks: Mark[] = [
    {
      key: "arithmetic:title",
      kind: "text",
      x,
      y: y + 14,
      text: `Score of “${shownLetter(source[column]!)}”, letter ${column + 1}`,
      size: 14,
      weight: 600,
    },
  ];
  vectors.forEach(({ numbers, color, scale, ariaLabel }, i) => {
    marks.push(
      ...vectorCells(`arithmetic:${i}`, { x: at(i), y: top }, numbers, {
        cell,
        color,
        scale,
        outline: color === "text" ? "rule" : color,
        ariaLabel: `${ariaLabel}, numbers: ${numbers.length}`,
        address: `arithmetic:0:${i}`,
      }),
      {
        key: `arithmetic:name:${i}`,
        kind: "text",
        x: at(i) + block.width / 2,
        y: top - 9,
        text: names[i]!,
        anchor: "middle",
        size: 12,
        fill: i === 0 ? "query-text" : i === 1 ? "key-text" : "quiet",
      },
      {
        key: `arithmetic:sign:${i}`,
        kind: "text",
        x: at(i) + block.width + gap / 2,
        y: top + block.height / 2 + 5,
        text: signs[i]!,
        anchor: "middle",
        size: 15,
      },
    );
  });
  marks.push({
    key: "arithmetic:score",
    kind: "text",
    x: at(3) + block.width + gap,
    y: top + block.height / 2 + 5,
    text: fixed(scores[column]!),
    size: 15,
    weight: 700,
  });
  return { marks, height: 44 + block.height + 4 };
}
