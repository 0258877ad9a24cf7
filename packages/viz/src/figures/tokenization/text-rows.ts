import type { Mark } from "../mark.js";
import { byteSlots, type ByteSlots } from "./byte-slots.js";
import type { Span, TokenizationModel } from "./model.js";

/** A row below the characters of the text. Its height may differ from line to line. */
export type Row = { id: string; label: string; height: (line: number) => number };

/** Layout of a text in lines: characters, and the rows below them. */
export type TextRows = {
  slots: ByteSlots;
  /** Upper edge of a row in a line. */
  y(row: string, line: number): number;
  /** Names of the rows: beside the first line, or above its rows on a narrow screen. */
  labels: Mark[];
  height: number;
};

// Space for the name of a row, beside it or above it, and gaps of rows and lines. Unit: pixels.
const nameWidth = 104;
const nameHeight = 17;
const rowGap = 6;
const lineGap = 26;

/** Places the rows of every line of the text. */
export function textRows(
  model: TokenizationModel,
  rowsOf: (slots: ByteSlots) => readonly Row[],
  { width, y }: { width: number; y: number },
): TextRows {
  const beside = width >= 640;
  const margin = beside ? 8 : 4;
  const left = margin + (beside ? nameWidth : 0);
  const slots = byteSlots(model, { x: left, width: width - left - margin });
  const rows = rowsOf(slots);
  const tops = new Map<string, number>();
  const labels: Mark[] = [];
  if (model.bytes.length === 0) return { slots, y: () => y, labels, height: 0 };
  let top = y;
  slots.lines.forEach((_, line) => {
    for (const { id, label, height } of rows) {
      const boxHeight = height(line);
      if (boxHeight === 0) continue;
      const named = !labels.some(({ key }) => key === `row:${id}`);
      if (named && !beside) top += nameHeight;
      tops.set(`${id}:${line}`, top);
      if (named) {
        const baseline = beside ? top + Math.min(boxHeight, 24) / 2 + 4 : top - 5;
        labels.push({ key: `row:${id}`, kind: "text", x: margin, y: baseline, text: label, fill: "quiet" });
      }
      top += boxHeight + rowGap;
    }
    top += lineGap - rowGap;
  });
  return { slots, y: (row, line) => tops.get(`${row}:${line}`) ?? top, labels, height: top - lineGap - y };
}

/** A run of bytes as a bar, with a piece in each of its lines. The widest piece has the text and is the cell. */
export function spanBar(
  { slots }: TextRows,
  span: Span,
  y: (line: number) => number,
  mark: Omit<Mark, "kind" | "x" | "y" | "width">,
): Mark[] {
  const stretches = slots.stretches(span);
  const main = stretches.length > 1 ? slots.place(span).line : stretches[0]?.line;
  return stretches.map(({ line, x, width }, i) => {
    const place = { kind: "rect", x: x + 1.5, y: y(line), width: width - 3, radius: 3 } as const;
    if (line === main) return { ...mark, ...place };
    const { text: _, cell: __, ariaLabel: ___, ...rest } = mark;
    return { ...rest, ...place, key: `${mark.key}/${i}` };
  });
}

/** Opacity of a run of bytes: pale if it is outside of the focused bytes. */
export const focusOpacity = (focus: Span | undefined, { start, end }: Span): number =>
  !focus || (start >= focus.start && end <= focus.end) ? 1 : 0.25;

/** A dashed band in each line of a row, until its content appears. */
export const emptyBands = (rows: TextRows, row: string, height: number): Mark[] =>
  rows.slots.lines.flatMap((line, i) =>
    spanBar(rows, line, (each) => rows.y(row, each), {
      key: `empty:${row}:${i}`,
      height,
      stroke: "hatch",
      dash: true,
      opacity: 0.5,
    }),
  );

export const letterSize = 13;
/** Width of letters of the fixed-width font. */
export const lettersWidth = (text: string): number =>
  [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1 : 0.602) * letterSize, 0);

/** The characters of a text, each over its bytes. */
export function characterMarks(
  model: TokenizationModel,
  rows: TextRows,
  focus: Span | undefined,
): { span: Span; marks: Mark[] }[] {
  let start = 0;
  return model.characters.map(({ text, codePoint, bytes }, i) => {
    const span = { start, end: start + bytes };
    start = span.end;
    const count = bytes === 1 ? "1 byte" : `${bytes} bytes`;
    const marks = spanBar(rows, span, (line) => rows.y("characters", line), {
      key: `char:${i}`,
      height: 24,
      text,
      font: "mono",
      size: 15,
      ...(bytes > 1 && { stroke: "hatch" }),
      opacity: focusOpacity(focus, span),
      ariaLabel: `“${text}”, ${codePoint}: ${count}`,
      cell: `char:${i}:0`,
    });
    return { span, marks };
  });
}
