import { easeCubicInOut } from "d3-ease";
import type { Moment } from "../figure.js";
import type { Mark, Scene } from "../mark.js";
import { countsPanel } from "./counts-panel.js";
import { mergeForest, rootsAfter, type ForestNode, type ForestRoot } from "./merge-forest.js";
import { barHeight, joiningMarks, levelHeight, levelY, widestMiddle, nodeMarks } from "./merge-marks.js";
import type { Span, TokenizationModel } from "./model.js";
import {
  characterMarks,
  emptyBands,
  letterSize,
  focusOpacity,
  spanBar,
  textRows,
  type TextRows,
} from "./text-rows.js";

const tokenHeight = 42;

/** Progress of the merges: number of applied merges (`done`), and progress of the next one, from 0 to 1 (`joining`). */
type Merging = { done: number; joining: number };

/** The text, its bytes, every merge below its two children, and at the bottom the current tokens with their ids. */
export function mergesScene(model: TokenizationModel, id: string, moment: Moment, width: number): Scene {
  const forest = mergeForest(model);
  const merging = mergeProgress(model, id, moment.progress);
  const rows = textRows(
    model,
    ({ lines }) => {
      const depth = lines.map((line) =>
        Math.max(
          0,
          ...forest
            .filter((node) => node.start < line.end && node.end > line.start)
            .map((node) => node.level),
        ),
      );
      return [
        { id: "characters", label: "characters", height: () => 24 },
        { id: "bytes", label: "bytes", height: () => barHeight },
        { id: "merges", label: "merges", height: (line) => depth[line]! * levelHeight },
        { id: "tokens", label: "tokens, ids", height: () => tokenHeight },
      ];
    },
    { width, y: 4 },
  );
  const focus = focusSpan(model, moment.focus);
  const roots = rootsAfter(model.bytes.length, forest, merging.done);
  // Progress of the bytes, which move down from their characters.
  const fall = id === "text" ? 0 : id === "bytes" ? easeCubicInOut(moment.progress) : 1;
  // The ids are emphasized at the steps after the merges.
  const ids = id === "ids" || id === "languages";
  const marks = [
    ...rows.labels,
    ...characterMarks(model, rows, focus).flatMap((each) => each.marks),
    ...(fall === 0
      ? [...emptyBands(rows, "bytes", barHeight), ...emptyBands(rows, "tokens", tokenHeight)]
      : []),
    ...(fall === 0 ? [] : byteMarks(model, rows, fall, focus)),
    ...forest
      .filter(({ merge }) => merge < merging.done)
      .flatMap((node) => nodeMarks(model, rows, node, focus)),
    ...(fall === 0 ? [] : rootMarks(model, rows, roots, { ...merging, fall, forest, focus, ids })),
  ];
  if (merging.joining > 0)
    for (const node of forest.filter(({ merge }) => merge === merging.done))
      marks.push(...joiningMarks(model, rows, node, merging.joining));
  const panel = countsPanel(
    model,
    {
      // A merge is counted in the last 40% of its animation, while its two children touch.
      merges: merging.done + Math.max(0, merging.joining - 0.6) / 0.4,
      encoded: id === "languages" ? easeCubicInOut(moment.progress) : 0,
    },
    { width, y: rows.height + 34 },
  );
  return {
    width,
    height: panel.bottom,
    marks: [...marks, ...panel.marks],
    description: describe(model, roots.length, merging.done),
  };
}

function describe(
  { text, bytes, characters, merges }: TokenizationModel,
  tokens: number,
  done: number,
): string {
  if (bytes.length === 0) return "No text yet.";
  return `“${text}”: ${characters.length} characters, ${bytes.length} bytes. After ${done} of ${merges.length} merges: ${tokens} tokens.`;
}

function mergeProgress({ merges }: TokenizationModel, id: string, progress: number): Merging {
  const merge = merges.findIndex((_, i) => id === mergeStep(i));
  if (merge < 0) return { done: id === "text" || id === "bytes" ? 0 : merges.length, joining: 0 };
  return progress >= 1 ? { done: merge + 1, joining: 0 } : { done: merge, joining: progress };
}

/** Id of the step of a merge. */
export const mergeStep = (merge: number): string => `merge-${merge + 1}`;

/** Bytes of the focused cell. */
export function focusSpan(model: TokenizationModel, focus: string | undefined): Span | undefined {
  const [name, row, column] = focus?.split(":") ?? [];
  const index = Number(row);
  if (name === "token") return model.tokens[index];
  if (name === "byte" && index < model.bytes.length) return { start: index, end: index + 1 };
  if (name === "merge") return model.merges[index]?.places[Number(column)];
  if (name !== "char" || !model.characters[index]) return undefined;
  const start = model.characters.slice(0, index).reduce((sum, { bytes }) => sum + bytes, 0);
  return { start, end: start + model.characters[index].bytes };
}

function byteMarks(model: TokenizationModel, rows: TextRows, fall: number, focus: Span | undefined): Mark[] {
  return model.bytes.flatMap(({ hex, id }, start) => {
    const span = { start, end: start + 1 };
    const y = (line: number) => {
      const [from, to] = [rows.y("characters", line), rows.y("bytes", line)];
      return from + fall * (to - from);
    };
    return spanBar(rows, span, y, {
      key: `byte:${start}`,
      height: barHeight,
      fill: "cost",
      fillOpacity: 0.13,
      text: hex,
      font: "mono",
      size: 11,
      textFill: "quiet",
      opacity: fallOpacity(fall) * focusOpacity(focus, span),
      ariaLabel: `byte ${start + 1}, ${hex}: id ${id}`,
      cell: `byte:${start}:0`,
    });
  });
}

/** Opacity of bytes while they move down from their characters. */
const fallOpacity = (fall: number) => Math.min(1, Math.max(0, (fall - 0.3) / 0.5));

/** The current tokens at the bottom, and a pale column from each merge, or byte, down to its token. */
function rootMarks(
  model: TokenizationModel,
  rows: TextRows,
  roots: readonly ForestRoot[],
  {
    done,
    joining,
    fall,
    forest,
    focus,
    ids,
  }: Merging & { fall: number; forest: readonly ForestNode[]; focus: Span | undefined; ids: boolean },
): Mark[] {
  // Offsets of the children that the next merge joins.
  const joined = new Set(
    forest
      .filter(({ merge }) => joining > 0 && merge === done)
      .flatMap(({ start, middle }) => [start, middle]),
  );
  const finished = done === model.merges.length && joining === 0;
  return roots.flatMap((root): Mark[] => {
    const { start, end, merge } = root;
    const single = model.bytes[start]!;
    const merged = merge === undefined ? undefined : model.merges[merge]!;
    const character = merged ? undefined : characterAt(model, start);
    const text = merged?.text ?? character ?? single.hex;
    const id = merged?.id ?? single.id;
    const token = model.tokens.findIndex((each) => each.start === start && each.end === end);
    const isPart = finished ? (model.tokens[token]?.part ?? false) : !merged && character === undefined;
    const opacity = fallOpacity(fall) * focusOpacity(focus, root);
    const lit = joined.has(start);
    const stems = rows.slots.stretches(root).map(({ line, x, width }, i): Mark => {
      const top = levelY(rows, root.level)(line) + barHeight;
      return {
        key: `stem:${start}:${i}`,
        kind: "rect",
        x: x + 1.5,
        y: top,
        width: width - 3,
        height: Math.max(0, rows.y("tokens", line) - top),
        fill: merged ? "weight" : "cost",
        fillOpacity: 0.06,
        opacity,
      };
    });
    const { line, x: middle } = widestMiddle(rows, root);
    const y = rows.y("tokens", line);
    const size = letterSize;
    return [
      ...stems,
      ...spanBar(rows, root, (each) => rows.y("tokens", each), {
        key: `token:${start}`,
        height: tokenHeight,
        fill: merged ? "weight" : "cost",
        fillOpacity: lit ? 0.42 : merged ? 0.28 : 0.16,
        ...(lit && { stroke: "weight", strokeWidth: 1.5 }),
        ...(isPart && { hatch: 0.6 }),
        opacity,
        ariaLabel: isPart ? `one byte of a character, ${text}: id ${id}` : `token “${text}”: id ${id}`,
        ...(token >= 0 && { cell: `token:${token}:0` }),
      }),
      {
        key: `token:${start}:text`,
        kind: "text",
        x: middle,
        y: y + 17,
        text,
        anchor: "middle",
        font: "mono",
        size,
        opacity,
        layer: 1,
        ...(ids && { fill: "quiet" }),
      },
      {
        key: `token:${start}:id`,
        kind: "text",
        x: middle,
        y: y + 34,
        text: String(id),
        anchor: "middle",
        size: 11,
        opacity,
        layer: 1,
        weight: ids && merged ? 700 : 400,
        fill: ids ? "weight-text" : "quiet",
      },
    ];
  });
}

/** The character of a single-byte character, else undefined. */
function characterAt({ characters }: TokenizationModel, byte: number): string | undefined {
  let start = 0;
  for (const { text, bytes } of characters) {
    if (start === byte) return bytes === 1 ? text : undefined;
    start += bytes;
  }
  return undefined;
}
