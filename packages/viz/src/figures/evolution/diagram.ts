import { px } from "../../picture.js";
import type { Mark } from "../mark.js";
import type { EvolutionModel, EvolutionStep } from "./model.js";

/** Place of a diagram in pixels. The maps are beside it if it is at least 520 wide, else below it. */
export type DiagramPlace = { x: number; y: number; width: number };

const besideWidth = 520; // pixels
const wordsY = 306;

/** Height of a diagram of a width. Unit: pixels. */
export const diagramHeight = (width: number): number => (width >= besideWidth ? 330 : 330 + 274);

/**
 * Marks of one mechanism over the words: queries, keys and values in their colors, lines whose width is the weight, and
 * the maps of weights. The keys of marks are the same in every step, so that `between` can animate from one to the next.
 */
export function diagram(
  model: EvolutionModel,
  step: EvolutionStep,
  prefix: string,
  { x, y, width }: DiagramPlace,
): Mark[] {
  const { words, translation, written } = model;
  const { decoder = false, network = false, numHeads, numKvHeads, window } = step.drawing;
  const { states, latent = false, chosen, rows = "head", names } = step.drawing;
  const T = words.length;
  const heads = numHeads > 1;
  const side = 76; // pixels: room for labels, or for the heads
  const left = width >= besideWidth ? width * 0.58 : width;
  const pitch = Math.min(62, (left - side) / T);
  const center = (word: number) => x + (word + 0.5) * pitch;
  const end = x + T * pitch;
  const boxWidth = pitch - 8;
  const half = (boxWidth - 2) / 2;
  const newestQuery = decoder ? written - 1 : T - 1; // the query whose lines are drawn in full
  const marks: Mark[] = [];
  const add = (mark: Mark) =>
    marks.push({
      ...mark,
      key: prefix + mark.key,
      ...(mark.home !== undefined && { home: prefix + mark.home }),
      ...(mark.cell !== undefined && { cell: prefix + mark.cell }),
    });
  const label = (key: string, at: number, top: number, text: string, more: Partial<Mark> = {}) =>
    add({ key, kind: "text", x: at, y: top, text, fill: "quiet", ...more });

  const height = heads ? 40 : 38;
  const gap = 10;
  const rowsTop = heads ? 56 : 204;
  const fourRows = 4 * height + 3 * gap;
  const rowY = (group: number) =>
    y + (heads ? rowsTop + ((group + 0.5) * (fourRows + gap)) / numKvHeads - gap / 2 - height / 2 : rowsTop);
  const queryY = y + 44;

  // The words, and their keys and values.
  words.forEach((word, t) => {
    const now = !decoder && t === T - 1;
    label(`word:${t}`, center(t), y + wordsY, word, {
      anchor: "middle",
      size: 14,
      fill: "text",
      ...(now && { weight: 700 }),
    });
    const bottom = rowY(numKvHeads - 1) + height;
    add({
      key: `feed:${t}`,
      kind: "path",
      x: center(t),
      y: 0,
      d: `M0 ${px(y + wordsY - 16)}L0 ${px(bottom + (decoder ? 24 : 4))}`,
      stroke: "rule",
      strokeWidth: 1.5,
    });
  });
  for (let group = 0; group < numKvHeads; group++) {
    const state = states?.[group];
    if (state) marks.push(...stateMarks(state, group, prefix, { x: end + 1, y: rowY(group) + 3 }));
    const joined = latent && !state; // a latent: one narrow box in both colors
    words.forEach((word, t) => {
      const inState = state ? t < T - 1 : false;
      const isDropped = inState || (window !== undefined && t < T - window);
      const isRead = chosen?.[group]?.includes(t) ?? true;
      const top = rowY(group) + (joined ? 8 : 0);
      const row = numKvHeads > 1 ? `, ${rows === "layer" ? "layer" : "KV head"} ${group}` : "";
      const dropReason = inState ? ", written into the state and dropped" : ", evicted by the window";
      const of = decoder
        ? `encoder state of “${word}”, key and value in one`
        : `of “${word}”${row}${isDropped ? dropReason : isRead ? "" : ", not chosen by the newest query"}`;
      if (joined)
        label(`latent:${group}:${t}`, center(t), top + 17, "c", {
          anchor: "middle",
          size: 13,
          weight: 600,
          fill: "paper",
          layer: 2,
        });
      for (const [kind, at, letter] of [
        ["key", center(t) - boxWidth / 2, "k"],
        ["value", center(t) + (decoder || joined ? 0 : 1), "v"],
      ] as const) {
        add({
          key: `${kind}:${group}:${t}`,
          home: group === 0 ? undefined : `${kind}:0:${t}`,
          kind: "rect",
          x: at,
          y: top,
          width: decoder || joined ? boxWidth / 2 : half,
          height: joined ? height - 16 : height,
          radius: joined ? 0 : 3,
          ...(isDropped
            ? { stroke: kind, dash: true, fillOpacity: 0, fill: kind, opacity: 0.5 }
            : { fill: kind }),
          ...(!isRead && { opacity: 0.25 }),
          ...(half >= 16 &&
            !isDropped &&
            !decoder &&
            !joined && { text: letter, textFill: "paper", size: 13, weight: 600 }),
          layer: 1,
          ariaLabel: decoder ? of : joined ? `latent ${of}` : `${kind} ${of}`,
        });
      }
    });
  }
  if (decoder) {
    words.forEach((_, t) =>
      add({
        key: `state:${t}`,
        kind: "text",
        x: center(t),
        y: rowY(0) + height / 2 + 5,
        text: "h",
        anchor: "middle",
        size: 14,
        weight: 700,
        fill: "paper",
        layer: 2,
      }),
    );
    const under = rowY(0) + height + 6;
    for (let t = 0; t < T - 1; t++) {
      const [from, to] = [center(t) + 6, center(t + 1) - 6];
      const middle = (from + to) / 2;
      add({
        key: `recurrent:${t}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${px(from)} ${px(under)}Q${px(middle)} ${px(under + 16)} ${px(to)} ${px(under)}M${px(to - 5)} ${px(under)}L${px(to)} ${px(under)}L${px(to)} ${px(under + 5)}`,
        stroke: "cost",
        strokeWidth: 1.5,
      });
    }
    label("label:key", end + 4, rowY(0) + 16, "encoder");
    label("label:key2", end + 4, rowY(0) + 31, "states");
  } else if (!heads) {
    label("label:key", end + 4, rowY(0) + 16, "keys and");
    label("label:key2", end + 4, rowY(0) + 31, "values");
  }

  // Queries and their lines.
  const weightRow = (query: number) => step.weights[0]![query]!;
  const wire = (query: number, word: number, from: { x: number; y: number }, weight: number, main: boolean) =>
    add({
      key: main ? `wire:${word}` : `wire:${query}:${word}`,
      kind: "path",
      x: 0,
      y: 0,
      d: `M${px(from.x)} ${px(from.y)}C${px(from.x)} ${px((from.y + rowsTop + y) / 2)} ${px(center(word))} ${px((from.y + rowsTop + y) / 2)} ${px(center(word))} ${px(rowsTop + y)}`,
      stroke: "query",
      strokeWidth: 0.8 + 9 * weight,
      opacity: main ? 0.35 + 0.6 * weight : 0.12,
    });
  const circle = (key: string, at: { x: number; y: number }, text: string, more: Partial<Mark>) =>
    add({
      key,
      kind: "circle",
      ...at,
      radius: heads ? 13 : 14,
      fill: "query",
      text,
      textFill: "paper",
      size: 13,
      weight: 600,
      layer: 1,
      ...more,
    });
  if (decoder) {
    for (let t = 0; t < written; t++) {
      const main = t === newestQuery;
      circle(`query:${t}`, { x: center(t), y: queryY }, "s", {
        opacity: main ? 1 : 0.45,
        ariaLabel: `decoder state before “${translation[t]!}”: the query`,
      });
      label(`target:${t}`, center(t), y + 20, translation[t]!, {
        anchor: "middle",
        size: 14,
        fill: "text",
        opacity: main ? 1 : 0.6,
        ...(main && { weight: 700 }),
      });
      if (t > 0) {
        add({
          key: `chain:${t}`,
          kind: "path",
          x: 0,
          y: 0,
          d: `M${px(center(t - 1) + 16)} ${px(queryY)}L${px(center(t) - 17)} ${px(queryY)}M${px(center(t) - 22)} ${px(queryY - 4)}L${px(center(t) - 17)} ${px(queryY)}L${px(center(t) - 22)} ${px(queryY + 4)}`,
          stroke: "cost",
          strokeWidth: 1.5,
        });
      }
    }
    label("label:query", center(newestQuery) + 22, queryY - 2, "decoder state:");
    label("label:query2", center(newestQuery) + 22, queryY + 13, "the query");
    const middle = x + (T * pitch) / 2;
    const from = network ? { x: middle, y: y + 134 } : { x: center(newestQuery), y: queryY + 14 };
    if (network) {
      add({
        key: "network",
        home: `query:${newestQuery}`,
        kind: "rect",
        x: middle - 46,
        y: y + 108,
        width: 92,
        height: 26,
        radius: 13,
        fill: "paper",
        stroke: "text",
        strokeWidth: 1.5,
        text: "tanh network",
        layer: 1,
        ariaLabel: "a small network scores the query with each key",
      });
      add({
        key: "network:query",
        kind: "path",
        x: 0,
        y: 0,
        d: `M${px(center(newestQuery))} ${px(queryY + 14)}L${px(middle)} ${px(y + 108)}`,
        stroke: "query",
        strokeWidth: 2.5,
      });
    }
    words.forEach((_, t) => wire(newestQuery, t, from, weightRow(newestQuery)[t] ?? 0, true));
  } else if (!heads) {
    const causal = weightRow(0)[T - 1] === null;
    for (let t = 0; t < T; t++) {
      const main = t === newestQuery;
      circle(`query:${t}`, { x: center(t), y: queryY }, "q", {
        home: `query:${written - 1}`,
        opacity: main || !causal ? 1 : 0.4,
        ariaLabel: `query of “${words[t]!}”`,
      });
      weightRow(t).forEach((weight, s) => {
        if (weight !== null) wire(t, s, { x: center(t), y: queryY + 14 }, weight, main);
      });
    }
    label("label:query", end + 4, queryY - 2, causal ? "the newest" : "a query for");
    label("label:query2", end + 4, queryY + 13, causal ? "query" : "each word");
  } else {
    const at = Math.min(end + side - 22, x + left - 14);
    for (let head = 0; head < numHeads; head++) {
      const top = y + rowsTop + ((head + 0.5) * (fourRows + gap)) / numHeads - gap / 2;
      const group = Math.floor((head * numKvHeads) / numHeads);
      const target = rowY(group) + height / 2;
      circle(head === 0 ? `query:${T - 1}` : `head:${head}`, { x: at, y: top }, String(head), {
        home: head === 0 ? undefined : `query:${T - 1}`,
        ariaLabel:
          rows === "layer"
            ? `query of “${words[T - 1]!}” in layer ${head}`
            : `query head ${head} of “${words[T - 1]!}”: ${states ? "state" : "KV head"} ${group}`,
      });
      const near = states?.[group] ? end + 1 + stateSize : end - 2;
      const middle = (near + at - 13) / 2;
      add({
        key: `head-wire:${head}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${px(at - 13)} ${px(top)}C${px(middle)} ${px(top)} ${px(middle)} ${px(target)} ${px(near)} ${px(target)}`,
        stroke: "query",
        strokeWidth: 2,
      });
    }
    label("label:query", at + 13, y + 28, rows === "layer" ? "layers" : "query heads", { anchor: "end" });
    label("label:query2", at + 13, y + 43, `of “${words[T - 1]!}”`, { anchor: "end" });
    label("label:key", x, y + 28, names?.[0] ?? (numKvHeads === 1 ? "1 KV head" : `${numKvHeads} KV heads`));
    label(
      "label:key2",
      x,
      y + 43,
      names?.[1] ?? (window === undefined ? "the whole cache" : `the last ${window} words`),
    );
  }
  marks.push(...maps(model, step, prefix, { x, y, width }, left, newestQuery));
  return marks;
}

const stateSize = 34;

/** A state as a square of its numbers: deeper for larger ones, gray below 0. Cells of one shade share one path. */
function stateMarks(
  state: readonly (readonly number[])[],
  group: number,
  prefix: string,
  { x, y }: { x: number; y: number },
): Mark[] {
  const cell = stateSize / state.length;
  const max = Math.max(1e-9, ...state.flat().map(Math.abs));
  const paths = new Map<string, string>();
  state.forEach((row, k) =>
    row.forEach((number, v) => {
      const level = Math.round((4 * Math.abs(number)) / max); // 0 to 4: five shades
      if (level === 0) return;
      const name = `${number < 0 ? "-" : "+"}${level}`;
      const side = `h${px(stateSize / row.length)}v${px(cell)}h${px(-stateSize / row.length)}z`;
      paths.set(name, `${paths.get(name) ?? ""}M${px((v * stateSize) / row.length)} ${px(k * cell)}${side}`);
    }),
  );
  const key = `${prefix}memory:${group}`;
  return [
    {
      key,
      home: `${prefix}value:${group}:0`,
      kind: "rect",
      x,
      y,
      width: stateSize,
      height: stateSize,
      radius: 2,
      fill: "paper",
      stroke: "value",
      strokeWidth: 1.5,
      layer: 1,
      ariaLabel: `state ${group}: ${state.length} × ${state[0]!.length} numbers, however long the text`,
    },
    ...[...paths].map(([name, d]): Mark => ({
      key: `${key}:${name}`,
      kind: "path",
      x,
      y,
      d,
      fill: name[0] === "-" ? "cost" : "value",
      fillOpacity: Number(name[1]) / 4,
      layer: 1,
    })),
  ];
}

/** The maps of weights: a single one with the words, or one for each head. */
function maps(
  { words, translation, written }: EvolutionModel,
  step: EvolutionStep,
  prefix: string,
  { x, y, width }: DiagramPlace,
  left: number,
  newestQuery: number,
): Mark[] {
  const { decoder = false, numHeads, rows = "head" } = step.drawing;
  const T = words.length;
  const beside = width >= besideWidth;
  const heads = numHeads > 1;
  const gap = 22;
  const names = heads ? 0 : 54;
  const room = beside ? width - left - 24 : width - 8;
  const maxSize = beside ? { heads: 118, single: 190 } : { heads: 104, single: 196 };
  const size = heads ? Math.min((room - gap) / 2, maxSize.heads) : Math.min(room - names, maxSize.single);
  const cell = size / T;
  const top = beside ? y + 44 : y + 330 + 34;
  const start = beside
    ? x + left + 24
    : x + (heads ? (width - 2 * size - gap) / 2 : (width - size - names) / 2);
  const marks: Mark[] = [
    {
      key: `${prefix}map:title`,
      kind: "text",
      x: beside ? x + left + 24 : x + width / 2,
      y: top - 24,
      ...(beside ? {} : { anchor: "middle" }),
      text: heads ? `weights of each ${rows}` : "weights: each row is a query",
      fill: "quiet",
    },
  ];
  for (let head = 0; head < numHeads; head++) {
    const ox = start + names + (head % 2) * (size + gap);
    const oy = top + Math.floor(head / 2) * (size + gap);
    if (heads)
      marks.push({
        key: `${prefix}map:${head}:name`,
        kind: "text",
        x: ox,
        y: oy - 5,
        text: `${rows} ${head}`,
        size: 11,
        fill: "quiet",
      });
    for (let i = 0; i < T; i++)
      for (let j = 0; j < T; j++) {
        const weight = step.weights[head]![i]?.[j];
        const unwritten = decoder && i >= written;
        const masked = weight === null;
        const queryWord = decoder ? translation[i]! : words[i]!;
        const cellAddress = `${prefix}map${head}:${i}:${j}`;
        const look = (): Partial<Mark> => {
          if (unwritten)
            return {
              fill: "rule",
              fillOpacity: 0.15,
              hatch: masked ? 1 : 0,
              ariaLabel: `“${queryWord}” is not written yet`,
            };
          if (masked)
            return {
              fill: "rule",
              fillOpacity: j <= i ? 0.3 : 0,
              hatch: 1,
              ariaLabel: `“${queryWord}” may not see “${words[j]!}”`,
              cell: cellAddress,
            };
          const value = weight ?? 0;
          return {
            fill: value < 0 ? "cost" : "weight",
            fillOpacity: 0.05 + 0.95 * Math.min(1, Math.abs(value)),
            ...(value < -0.005 && { text: "−", size: 11 }),
            hatch: 0,
            ariaLabel: `${heads ? `${rows} ${head}, ` : ""}weight of “${words[j]!}” for “${queryWord}”: ${value.toFixed(2)}`,
            cell: cellAddress,
          };
        };
        marks.push({
          key: `${prefix}map:${head}:${i}:${j}`,
          home: head === 0 ? undefined : `${prefix}map:0:${i}:${j}`,
          kind: "rect",
          x: ox + j * cell,
          y: oy + i * cell,
          width: cell - 1.5,
          height: cell - 1.5,
          radius: 2,
          ...look(),
        });
      }
    marks.push({
      key: `${prefix}map:${head}:row`,
      home: head === 0 ? undefined : `${prefix}map:0:row`,
      kind: "rect",
      x: ox - 2.5,
      y: oy + newestQuery * cell - 2.5,
      width: size + 3.5,
      height: cell + 3.5,
      radius: 4,
      stroke: "query",
      strokeWidth: 2,
      layer: 1,
    });
  }
  if (!heads)
    words.forEach((word, t) => {
      const queryWord = decoder ? translation[t]! : word;
      marks.push(
        {
          key: `${prefix}map:query:${t}`,
          kind: "text",
          x: start + names - 8,
          y: top + (t + 0.5) * cell + 4,
          text: queryWord,
          anchor: "end",
          opacity: decoder && t >= written ? 0.4 : 1,
          ...(t === newestQuery && { weight: 700 }),
        },
        {
          key: `${prefix}map:key:${t}`,
          kind: "text",
          x: start + names + (t + 0.5) * cell,
          y: top + size + 15,
          text: word,
          anchor: "middle",
          size: 11,
        },
      );
    });
  return marks;
}
