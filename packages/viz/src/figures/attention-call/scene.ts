import type { ThemeName } from "../../palette.js";
import { labelWidth } from "../../picture.js";
import type { Moment } from "../figure.js";
import type { Mark, Scene } from "../mark.js";
import { arithmeticMarks } from "./arithmetic.js";
import { numberCell, stripMarks } from "./cells.js";
import { content, type Cell, type Content, type MovingNumber } from "./content.js";
import type { MatrixRegion } from "./model.js";
import { cellAddress, cellText, titles } from "./explain.js";
import {
  cornerBoxes,
  boundingBox,
  cellBox,
  compactBelow,
  layouts,
  movedBox,
  type Box,
  type Layout,
} from "./layout.js";
import {
  elementAt,
  columns,
  fractionDigits,
  matrixByName,
  quoted,
  range,
  rows,
  tokenLabel,
  type AttentionCallChoices,
  type AttentionCallModel,
  type MatrixName,
} from "./model.js";
import { steps } from "./steps.js";

const colors: Readonly<Record<MatrixName, ThemeName>> = {
  x: "cost",
  wq: "query",
  wk: "key",
  wv: "value",
  q: "query",
  k: "key",
  v: "value",
  s: "weight",
  a: "weight",
  o: "value",
};
const letters: Readonly<Partial<Record<MatrixName, ThemeName>>> = {
  wq: "query-text",
  wk: "key-text",
  wv: "value-text",
  q: "query-text",
  k: "key-text",
  v: "value-text",
  o: "value-text",
};
/** True for matrices whose columns are keys: scores and weights. */
const hasKeyColumns = (name: MatrixName) => name === "s" || name === "a";
/** Cells narrower than this many pixels have no number. */
const narrowest = 13;

/** The scene of a moment. */
export function scene(
  model: AttentionCallModel,
  choices: AttentionCallChoices,
  moment: Moment,
  width: number,
): Scene {
  const stepList = steps(model, choices);
  const now = content(model, choices, stepList, moment);
  const stages = layouts(model, width);
  const [from, to] = [stages[now.from], stages[now.to]];
  const t = now.morph;
  const arithmeticTop = from.arithmeticTop + (to.arithmeticTop - from.arithmeticTop) * t;
  const height = from.height + (to.height - from.height) * t;
  const place = placer(now, from, to);
  const names = (Object.keys(titles) as MatrixName[]).filter((name) => matrixByName(model, name));
  const i = Math.min(choices.token, model.tokens.length - 1);
  const shared = { model, now, place, to: t > 0.5 ? to : from, width, i };
  const marks = names.flatMap((name) => matrixMarks(name, shared));
  return {
    width,
    height,
    ...(width >= compactBelow && { aside: Math.min(from.aside, to.aside) }),
    marks: [
      ...marks,
      ...now.lit.flatMap((region, n) => ring(region, n, shared)),
      ...now.movingNumbers.map((movingNumber) => movingNumberMark(movingNumber, shared)),
      ...arithmeticMarks(model, now.arithmetic, width, arithmeticTop),
    ],
    description: describe(model, stepList[moment.step]!.title, i),
  };
}

function describe({ tokens, query }: AttentionCallModel, title: string, i: number): string {
  const [T, D] = [rows(query), columns(query)];
  return `${title}. Attention of ${T} tokens, ${tokens.map(tokenLabel).join(" ")}, with queries, keys and values of ${D} numbers. The figure follows ${quoted(tokens[i]!)}.`;
}

type Place = (name: MatrixName, row: number, column: number) => Box;
type Shared = { model: AttentionCallModel; now: Content; place: Place; to: Layout; width: number; i: number };

const placer =
  ({ morph, transposed }: Content, from: Layout, to: Layout): Place =>
  (name, row, column) =>
    morph >= 1 && transposed(row) >= 1
      ? cellBox(to[name], row, column)
      : movedBox(from[name], to[name], row, column, morph, transposed(row));

function isLit(lit: readonly MatrixRegion[], name: MatrixName, row: number, column: number): boolean {
  return lit.some(
    (region) =>
      region.name === name &&
      (region.row === undefined || region.row === row) &&
      (region.column === undefined || region.column === column),
  );
}

function matrixMarks(name: MatrixName, shared: Shared): Mark[] {
  const { model, now, place, to, width, i } = shared;
  const frame = matrixByName(model, name)!;
  const [R, C] = [rows(frame), columns(frame)];
  const corner = place(name, 0, 0);
  if (corner.opacity < 0.01) return [];
  const { lit } = now;
  const involved = lit.some((region) => region.name === name);
  const dimsOthers = lit.length > 1 && involved;
  const strip = C > 8 && !hasKeyColumns(name);
  let largest = 1e-9;
  for (let n = 0; n < R * C; n++) largest = Math.max(largest, Math.abs(frame.data[n]!));
  // The color scale shrinks with the scores while they are scaled, so their colors stay.
  if (name === "s") largest *= 1 + (model.scale - 1) * now.scaled;
  const digits = strip || name === "s" || name === "a" || name === "o" ? 2 : fractionDigits(frame);
  const compact = width < compactBelow;
  const marks: Mark[] = [];
  let [all, minOpacity] = [0, 1];

  for (const r of range(R)) {
    const values: number[] = [];
    const cells: Cell[] = [];
    let [seen, count] = [0, 0];
    for (let c = 0; c < C; c++) {
      const cell = now.cell(name, r, c);
      cells.push(cell);
      values.push(cell.opacity > 0.3 ? cell.value : 0);
      if (cell.opacity > 0.5) count += 1;
      seen = Math.max(seen, cell.opacity);
      minOpacity = Math.min(minOpacity, cell.opacity);
    }
    all = Math.max(all, seen);
    if (strip) {
      if (seen < 0.01) continue;
      const box = (c: number) => ({
        ...place(name, r, c),
        opacity: corner.opacity * (c < count || seen < 0.6 ? seen : 0),
      });
      const dim = dimsOthers && !isLit(lit, name, r, 0);
      const partial = { data: values, shape: [1, C] };
      marks.push(...stripMarks(`${name}:${r}`, partial, 0, box, colors[name], { scale: largest * 0.7, dim }));
      const whole = boundingBox([place(name, r, 0), place(name, r, C - 1)]);
      const region = { name, row: r };
      marks.push({
        key: `${name}:${r}`,
        kind: "rect",
        ...whole,
        radius: 2,
        fill: "paper",
        fillOpacity: 0,
        stroke: "rule",
        strokeWidth: 0.5,
        opacity: corner.opacity * seen,
        cell: cellAddress(name, r),
        ariaLabel: cellText(model, region, undefined, false),
        layer: 1,
      });
      continue;
    }
    for (const c of range(C)) {
      const { opacity, value, hatch } = cells[c]!;
      if (opacity < 0.01) continue;
      const box = place(name, r, c);
      const tiny = box.width < (name === "s" && R > 7 ? 30 : narrowest) || box.height < 11;
      const mark = numberCell(
        `${name}:${r}:${c}`,
        { ...box, opacity: box.opacity * opacity },
        value,
        colors[name],
        {
          digits,
          size: box.width < 34 ? 11 : 12,
          scale: name === "a" ? 1 : name === "s" ? largest * 1.25 : largest,
          weight: name === "a",
          short: box.width < 36,
          dim: dimsOthers && !isLit(lit, name, r, c),
          hatch,
        },
      );
      if (tiny) delete mark.text;
      // A number that does not fit is written with one digit less.
      if (mark.text === undefined && !tiny && hatch < 0.5 && digits === 2) {
        const shorter = numberCell("", box, value, colors[name], {
          digits: 1,
          size: 11,
          scale: largest,
          short: true,
        });
        if (shorter.text !== undefined) Object.assign(mark, { text: shorter.text, size: 11 });
      }
      marks.push({
        ...mark,
        cell: cellAddress(name, r, c),
        ariaLabel: cellText(model, { name, row: r, column: c }, value, hatch > 0.5),
      });
    }
  }
  return [...marks, ...surroundings(name, { ...shared, compact, R, C, all, minOpacity, involved }, to, i)];
}

/** Title, shape, names of rows and columns, and a dashed outline while cells are missing. */
function surroundings(
  name: MatrixName,
  {
    model,
    now,
    place,
    compact,
    R,
    C,
    all,
    minOpacity,
  }: Shared & { compact: boolean; R: number; C: number; all: number; minOpacity: number; involved: boolean },
  to: Layout,
  i: number,
): Mark[] {
  const { tokens, channels } = model;
  const flip = Boolean(to[name].flip);
  const corner = place(name, 0, 0);
  const upright = flip || hasKeyColumns(name);
  const whole = boundingBox(cornerBoxes((r, c) => place(name, r, c), R, C));
  const seen = Math.max(all, 0.75) * corner.opacity;
  const marks: Mark[] = [];
  const lit = (row: number | undefined, column: number | undefined) =>
    now.lit.some(
      (region) =>
        region.name === name &&
        (row !== undefined ? region.row === row : region.column === column && column !== undefined),
    );

  // Names of columns: tokens for scores, weights and the transposed keys; channels if they have names.
  const first = flip ? place(name, 0, 0) : corner;
  const columnNames = flip || hasKeyColumns(name) ? tokens.map(tokenLabel) : channelNames(name, model);
  const widest = columnNames ? labelWidth(columnNames) : 0;
  const level = columnNames !== undefined && widest * (upright ? 0.96 : 0.88) <= first.width + 2;
  const stands = columnNames !== undefined && !level && upright && first.width >= 11;
  const under = name === "s" && compact && now.to === "scores" ? undefined : columnNames;
  const labelled = under !== undefined && (level || stands);
  if (labelled && all > 0.01) {
    under.forEach((text, c) => {
      const box = flip ? place(name, c, 0) : place(name, 0, c);
      const strong = upright && (flip ? lit(c, undefined) : lit(undefined, c));
      marks.push({
        key: `name:${name}:c${c}`,
        kind: "text",
        text,
        layer: 1,
        x: level ? box.x + box.width / 2 : box.x + box.width / 2 + 4,
        y: whole.y - (level ? 6 : 5),
        ...(level ? { anchor: "middle" } : { rotate: -70 }),
        fill: strong ? "text" : "quiet",
        weight: strong ? 600 : 400,
        opacity: all * corner.opacity * (flip ? now.transposed(c) ** 4 : 1),
        size: upright ? 12 : 11,
      });
    });
  }
  // Channels beside the transposed keys.
  if (flip && channels && !compact) {
    channels.forEach((text, c) => {
      const box = place(name, 0, c);
      marks.push({
        key: `name:${name}:r${c}`,
        kind: "text",
        text,
        x: box.x - 7,
        y: box.y + box.height / 2 + 4,
        anchor: "end",
        size: 11,
        fill: "quiet",
        opacity: all * corner.opacity * now.morph,
        layer: 1,
      });
    });
  }
  const titleY = whole.y - (labelled ? (level ? 24 : 58) : 8);
  const title = flip ? `${titles[name]}ᵀ` : titles[name];
  const size = labelWidth([title]) * 1.2 + labelWidth([`${R} × ${C}`]) + 8;
  marks.push({
    key: `title:${name}`,
    kind: "text",
    x: whole.x,
    y: titleY,
    text: title,
    size: 15,
    weight: 600,
    fill: letters[name] ?? "text",
    opacity: seen,
    layer: 1,
  });
  if (size < whole.width + 6) {
    marks.push({
      key: `shape:${name}`,
      kind: "text",
      x: whole.x + whole.width,
      y: titleY,
      anchor: "end",
      layer: 1,
      text: flip ? `${C} × ${R}` : `${R} × ${C}`,
      fill: "quiet",
      opacity: seen,
    });
  }
  if (minOpacity < 0.99) {
    marks.push({
      key: `coming:${name}`,
      kind: "rect",
      ...whole,
      radius: 4,
      stroke: "hatch",
      dash: true,
      opacity: (1 - minOpacity) * corner.opacity * 0.8,
    });
  }
  // Names of rows: beside the leftmost matrix, and beside matrices far from it.
  const rowNames = compact
    ? name === "x" ||
      (name === "q" && now.to === "scores") ||
      (now.to === "weights" && name === (to.s.opacity > 0 ? "s" : "a")) ||
      (now.to === "mix" && (name === "a" || name === "v"))
    : name === "x" || name === "a" || (name === "v" && now.to !== "project");
  if (rowNames && !flip) {
    tokens.forEach((token, r) => {
      const box = place(name, r, 0);
      if (box.height < 11.5 && !lit(r, undefined)) return; // letters would run into each other
      const strong =
        name === "v"
          ? lit(r, undefined)
          : now.lit.length > 0 && name === "a" && now.lit.some((s) => s.name === "a")
            ? lit(r, undefined)
            : r === i;
      marks.push({
        key: `name:${name}:r${r}`,
        kind: "text",
        text: tokenLabel(token),
        x: box.x - 6,
        y: box.y + box.height / 2 + 4,
        anchor: "end",
        size: Math.min(13, Math.max(11, box.height)),
        fill: strong ? "text" : "quiet",
        weight: strong ? 600 : 400,
        opacity: Math.max(all, 0.6) * box.opacity,
        layer: 1,
      });
    });
  }
  return marks;
}

/** Names of the columns of a matrix whose columns are no tokens. Projections have none. */
function channelNames(name: MatrixName, { features, channels }: AttentionCallModel) {
  if (name === "x") return features;
  return name.startsWith("w") ? undefined : channels;
}

/** Outline around a lit region. */
function ring({ name, row, column }: MatrixRegion, n: number, { model, place, now }: Shared): Mark[] {
  const frame = matrixByName(model, name)!;
  const [R, C] = [rows(frame), columns(frame)];
  const box = boundingBox(cornerBoxes((r, c) => place(name, row ?? r, column ?? c), R, C));
  const seen =
    row === undefined || column === undefined ? 1 : Math.max(0.6, now.cell(name, row, column).opacity);
  if (box.opacity < 0.5) return [];
  return [
    {
      key: `ring:${n}`,
      kind: "rect",
      x: box.x - 1,
      y: box.y - 1,
      width: box.width + 2,
      height: box.height + 2,
      radius: 4,
      stroke: name === "x" ? "quiet" : colors[name],
      strokeWidth: 2,
      opacity: box.opacity * seen,
      layer: 1,
    },
  ];
}

/** The mark of a moving number. */
function movingNumberMark(
  { key, from, to, drop, moveProgress, dropProgress, offset, value, color, opacity }: MovingNumber,
  { place, model }: Shared,
): Mark {
  const a = place(from.name, from.row, from.column);
  const low = Math.floor(to.column);
  const [b0, b1] = [
    place(to.name, to.row, low),
    place(to.name, to.row, Math.min(columns(matrixByName(model, to.name)!) - 1, low + 1)),
  ];
  const mix = (m: number, n: number, t: number) => m + (n - m) * t;
  const b = { ...b0, x: mix(b0.x, b1.x, to.column - low), y: mix(b0.y, b1.y, to.column - low) };
  const grown = (start: number, end: number) => {
    const now = mix(start, end, moveProgress);
    return start >= 24 || end >= 24 ? Math.max(now, Math.min(30, end)) : now;
  };
  const box: Box = {
    x: mix(a.x, b.x, moveProgress) - offset * (b.width - 2),
    y: mix(a.y, b.y, moveProgress) - Math.sin(Math.PI * moveProgress) * 10,
    width: grown(a.width, b.width),
    height: mix(a.height, b.height, moveProgress),
    opacity,
  };
  if (drop && dropProgress > 0) {
    const goal = place(drop.name, drop.row, drop.column);
    box.x = mix(box.x, goal.x, dropProgress);
    box.y = mix(box.y, goal.y, dropProgress);
    box.width = mix(box.width, goal.width, dropProgress);
    if (box.height >= 12) box.height = mix(box.height, goal.height, dropProgress);
  }
  if (Math.min(box.width, box.height) < 12) {
    const frame = matrixByName(model, from.name)!;
    let largest = 1e-9;
    for (let n = 0; n < frame.data.length; n++) largest = Math.max(largest, Math.abs(frame.data[n]!));
    return { ...numberCell(key, box, value, color, { scale: largest * 0.5 }), stroke: undefined, layer: 2 };
  }
  const size = box.width < 34 ? 11 : 12;
  const mark = numberCell(key, box, value, "paper", {
    digits: fractionDigits({ data: [value], shape: [1, 1] }),
    size,
    short: box.width < 36,
  });
  return { ...mark, fill: "paper", fillOpacity: 1, stroke: color, strokeWidth: 2, layer: 2 };
}

/** The numbers of a step as a table. */
export function table(model: AttentionCallModel, choices: AttentionCallChoices, step: number) {
  const { id, chapter } = steps(model, choices)[step]!;
  const { tokens } = model;
  const i = Math.min(choices.token, tokens.length - 1);
  const T = rows(model.query);
  const matrixTable = (name: MatrixName) => {
    const frame = matrixByName(model, name)!;
    const names = name === "x" ? model.features : model.channels;
    return {
      columns: [`${titles[name]} of`, ...range(columns(frame)).map((c) => names?.[c] ?? String(c))],
      rows: range(rows(frame)).map((r) => [
        tokenLabel(tokens[r]!),
        ...range(columns(frame)).map((c) => Number(elementAt(frame, r, c).toFixed(4))),
      ]),
    };
  };
  if (chapter === "Input") return matrixTable("x");
  if (chapter === "Q, K, V") return matrixTable(id.at(-1) as MatrixName);
  if (chapter === "Output" || chapter === "Mixture") return matrixTable("o");
  const keys = range(T);
  const seen = (j: number, value: number) =>
    elementAt(model.seen, i, j) ? Number(value.toFixed(4)) : "masked";
  return {
    columns: [`key, for ${quoted(tokens[i]!)}`, "q · k", "scaled", "weight"],
    rows: keys.map((j) => [
      tokenLabel(tokens[j]!),
      Number(elementAt(model.dots, i, j).toFixed(4)),
      Number(elementAt(model.scores, i, j).toFixed(4)),
      seen(j, elementAt(model.weights, i, j)),
    ]),
  };
}
