import type { Mark } from "../mark.js";
import { shownLetter, type EncoderDecoderAttentionModel } from "./model.js";
import type { Stage } from "./steps.js";
import { fixed } from "../fixed.js";

/** The alignment: weights `[output letters, source letters]`, a row for each letter that is written. */
export function alignment(
  { source, decoded }: EncoderDecoderAttentionModel,
  stage: Stage,
  column: number | undefined,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const cell = Math.min(34, (width - 24) / source.length);
  const rowHeight = Math.max(16, Math.min(23, cell));
  const left = x + 24;
  const top = y + 44;
  const written = stage.weights > 0 ? stage.output + 1 : stage.output;
  const marks: Mark[] = [
    { key: "alignment:title", kind: "text", x, y: y + 14, text: "Alignment", size: 14, weight: 600 },
  ];
  source.forEach((letter, j) =>
    marks.push({
      key: `alignment:source:${j}`,
      kind: "text",
      x: left + (j + 0.5) * cell,
      y: top - 6,
      text: shownLetter(letter),
      font: "mono",
      anchor: "middle",
      weight: column === j ? 700 : 400,
    }),
  );
  decoded.forEach(({ letter, weights }, t) => {
    const isThere = t < written;
    const opacity = t === stage.output ? stage.weights : 1;
    const isWritten = t < stage.output || (stage.letter >= 1 && t === stage.output);
    marks.push({
      key: `alignment:output:${t}`,
      kind: "text",
      x: left - 8,
      y: top + (t + 0.5) * rowHeight + 4,
      text: isWritten ? shownLetter(letter) : isThere ? "?" : "·",
      font: "mono",
      anchor: "end",
      fill: isWritten ? "text" : "quiet",
      weight: t === stage.output ? 700 : 400,
    });
    weights.forEach((weight, j) =>
      marks.push({
        key: `alignment:${t}:${j}`,
        kind: "rect",
        x: left + j * cell + 0.5,
        y: top + t * rowHeight + 0.5,
        width: cell - 1,
        height: rowHeight - 1,
        radius: 2,
        ...(isThere
          ? { fill: "weight", fillOpacity: 0.04 + 0.96 * weight, opacity }
          : { stroke: "rule", opacity: 0.6 }),
        ariaLabel: isThere
          ? `weight of “${shownLetter(source[j]!)}” (letter ${j + 1}) for output letter ${t + 1}: ${fixed(weight, 3)}`
          : `output letter ${t + 1}: not written yet`,
        cell: `align:${t}:${j}`,
      }),
    );
  });
  if (stage.score > 0)
    marks.push({
      key: "alignment:now",
      kind: "rect",
      x: left - 1,
      y: top + stage.output * rowHeight - 1,
      width: source.length * cell + 2,
      height: rowHeight + 2,
      radius: 3,
      stroke: "query",
      strokeWidth: 2,
      layer: 1,
    });
  return { marks, height: 44 + decoded.length * rowHeight };
}
