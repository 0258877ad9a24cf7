import { easeCubicInOut } from "d3-ease";
import type { Mark } from "../mark.js";
import type { ForestNode } from "./merge-forest.js";
import type { Span, TokenizationModel } from "./model.js";
import { letterSize, lettersWidth, focusOpacity, spanBar, type TextRows } from "./text-rows.js";

/** Vertical distance of two levels of merges. Unit: pixels. */
export const levelHeight = 27;
/** Height of the bar of a byte or a merge. Unit: pixels. */
export const barHeight = 23;

/** Upper edge of a level of merges in each line. Level 0 are the bytes. */
export const levelY = (rows: TextRows, of: number) => (line: number) =>
  of === 0 ? rows.y("bytes", line) : rows.y("merges", line) + (of - 1) * levelHeight;

/** An applied merge: a bar below its two children. */
export function nodeMarks(
  { merges }: TokenizationModel,
  rows: TextRows,
  node: ForestNode,
  focus: Span | undefined,
): Mark[] {
  const { left, right, text, id, places, rank } = merges[node.merge]!;
  const place = places.findIndex(({ start }) => start === node.start);
  return spanBar(rows, node, levelY(rows, node.level), {
    key: `merge:${node.key}`,
    height: barHeight,
    fill: "weight",
    fillOpacity: 0.16,
    text,
    font: "mono",
    size: letterSize,
    opacity: focusOpacity(focus, node),
    ariaLabel: `merge ${rank}, “${left}” + “${right}” → “${text}”: id ${id}`,
    cell: `merge:${node.merge}:${place}`,
  });
}

/** A merge in progress: its two children are highlighted, move down, and touch. */
export function joiningMarks(
  { merges }: TokenizationModel,
  rows: TextRows,
  node: ForestNode,
  progress: number,
): Mark[] {
  const { left, right, text } = merges[node.merge]!;
  const down = easeCubicInOut(Math.min(1, Math.max(0, (progress - 0.3) / 0.5)));
  const touch = easeCubicInOut(Math.min(1, Math.max(0, (progress - 0.6) / 0.4)));
  const lit = Math.min(1, progress / 0.15);
  const [whole, leftWide, rightWide] = [text, left, right].map(lettersWidth) as [number, number, number];
  const halves = [
    {
      side: "left",
      letters: left,
      span: { start: node.start, end: node.middle },
      from: node.leftLevel,
      offset: (leftWide - whole) / 2,
    },
    {
      side: "right",
      letters: right,
      span: { start: node.middle, end: node.end },
      from: node.rightLevel,
      offset: (whole - rightWide) / 2,
    },
  ] as const;
  const center = widestMiddle(rows, node);
  return halves.flatMap(({ side, letters, span, from, offset }) => {
    const [top, bottom] = [levelY(rows, from), levelY(rows, node.level)];
    const y = (line: number) => top(line) + down * (bottom(line) - top(line));
    const textCenter = widestMiddle(rows, span);
    const bars = spanBar(rows, span, y, {
      key: `joining:${node.key}:${side}`,
      height: barHeight,
      fill: "weight",
      fillOpacity: 0.16 + 0.2 * lit,
      stroke: "weight",
      strokeWidth: 1.5,
      opacity: lit,
      layer: 1,
    }).map((mark) => ({
      ...mark,
      x: mark.x - (side === "right" ? 1.5 * touch : 0),
      width: mark.width! + 1.5 * touch,
    }));
    const joined = center.line === textCenter.line;
    const paper = bars.map((mark): Mark => ({
      ...mark,
      key: `${mark.key}:paper`,
      fill: "paper",
      fillOpacity: 1,
    }));
    return [
      ...paper,
      ...bars,
      {
        key: `joining:${node.key}:${side}:letters`,
        kind: "text",
        x: textCenter.x + (joined ? touch * (center.x + offset - textCenter.x) : 0),
        y: y(textCenter.line) + barHeight / 2 + 0.35 * letterSize,
        text: letters,
        anchor: "middle",
        font: "mono",
        size: letterSize,
        weight: 600,
        opacity: lit,
        layer: 2,
      },
    ];
  });
}

/** Center of the widest interval of a run of bytes, where its text is written. */
export function widestMiddle({ slots }: TextRows, span: Span): { line: number; x: number } {
  const { line, x, width } = slots.place(span);
  return { line, x: x + width / 2 };
}
