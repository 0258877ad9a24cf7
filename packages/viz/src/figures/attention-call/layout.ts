import { labelWidth } from "../../picture.js";
import {
  columns,
  fitsNumbers,
  range,
  rows,
  tokenLabel,
  type AttentionCallModel,
  type MatrixName,
} from "./model.js";

/** Place of a matrix in a scene: its upper left corner, the size of a cell, its opacity. `flip`: it is transposed. */
export type Slot = { x: number; y: number; width: number; height: number; opacity: number; flip?: boolean };
/** Places of all matrices at one stage. Unit: pixels. */
export type Layout = Readonly<Record<MatrixName, Slot>> & {
  /** Upper edge of the arithmetic, under the matrices. */
  readonly arithmeticTop: number;
  readonly height: number;
  /** Width that is free at the upper left. */
  readonly aside: number;
};
/** Stages of the figure: each shows other matrices. */
export type Stage = "project" | "scores" | "weights" | "mix";
/** Rectangle of a cell in pixels, and its opacity from 0 to 1. */
export type Box = { x: number; y: number; width: number; height: number; opacity: number };

/** Below this width a picture shows the matrices of its step alone. */
export const compactBelow = 900;

/** The layout of each stage at a width in pixels. */
export function layouts(model: AttentionCallModel, width: number): Record<Stage, Layout> {
  return width < compactBelow ? compact(model, width) : wide(model, width);
}

/** Width of the row names to the left of a matrix. */
export const namesWidth = ({ tokens }: AttentionCallModel): number =>
  Math.min(90, Math.max(30, labelWidth(tokens.map(tokenLabel)) * 1.12 + 12));

const lineHeight = 21; // pixels
/** Height of the arithmetic: a table of at most seven rows, with its head and its sum. */
export const arithmeticPanelHeight = (model: AttentionCallModel, compact: boolean): number =>
  (compact ? 54 : 30) + lineHeight * (Math.min(7, rows(model.query)) + 2);

function wide(model: AttentionCallModel, width: number): Record<Stage, Layout> {
  const [T, C, D] = [rows(model.query), columns(model.x), columns(model.query)];
  const small = fitsNumbers(model);
  const names = namesWidth(model);
  const gap = width < 1050 ? 22 : 32;
  const strip = small ? 0 : Math.max(96, Math.min(150, width * 0.11)); // width of a matrix without numbers
  const narrow = small ? 10 * C : strip * 0.8;
  const fixed = names + narrow + gap + gap + 2 * (gap + names) + (small ? 0 : 2 * strip);
  const unit = Math.min(46, (width - fixed) / (2 * T + (small ? 2 * D : 0)));
  const side = small ? unit : strip / D;
  const row = small ? 34 : Math.max(15, Math.min(32, unit));
  const labels = unit < 34 ? 60 : 24; // names of columns are rotated where they do not fit
  const top = 28 + labels;
  const keyRow = small ? 30 : Math.max(2.4, Math.min(5, 120 / D));
  const valueRow = Math.min(small ? 21 : 15, (D * keyRow) / T, row);
  const main = top + Math.max(D * keyRow, T * valueRow) + 34 + labels;
  const qx = names + narrow + gap;
  const sx = qx + D * side + gap;
  const ax = sx + T * unit + gap + names;
  const ox = ax + T * unit + gap + names;
  const arithmeticTop = main + T * row + 40;
  const slot = (x: number, y: number, width: number, height: number, opacity = 1, flip = false): Slot => ({
    x,
    y,
    width,
    height,
    opacity,
    flip,
  });
  const home = {
    x: slot(names, main, narrow / C, row),
    q: slot(qx, main, side, row),
    k: slot(sx, top, unit, keyRow, 1, true),
    s: slot(sx, main, unit, row),
    a: slot(ax, main, unit, row),
    v: slot(ox, top, side, valueRow),
    o: slot(ox, main, side, row),
  };
  // While Q, K and V are computed, they are side by side, each under its projection matrix.
  const third = (width - names - gap - (small ? 36 * C : narrow) - 3 * gap) / 3;
  const cell = Math.min(46, third / D);
  const from = names + (small ? 36 * C : narrow) + 2 * gap;
  const place = (n: number) => from + n * (third + gap);
  const above = Math.min(24, (main - top - 66) / C);
  const project = {
    x: slot(names, main, small ? 36 : narrow / C, row),
    wq: slot(place(0), top + 10, cell, above),
    wk: slot(place(1), top + 10, cell, above),
    wv: slot(place(2), top + 10, cell, above),
    q: slot(place(0), main, cell, row),
    k: slot(place(1), main, cell, row),
    v: slot(place(2), main, cell, row),
  };
  const hidden = (slots: Partial<Record<MatrixName, Slot>>, ...names: MatrixName[]) =>
    Object.fromEntries(names.map((name) => [name, { ...slots[name]!, opacity: 0 }]));
  const aside = Math.min(sx - 90, from - 24);
  const size = { arithmeticTop, height: arithmeticTop + arithmeticPanelHeight(model, false), aside };
  const later = { ...project, ...home, ...hidden(project, "wq", "wk", "wv"), ...size } as Layout;
  return {
    project: { ...home, ...project, ...hidden(home, "s", "a", "o"), ...size } as Layout,
    scores: later,
    weights: later,
    mix: later,
  };
}

function compact(model: AttentionCallModel, width: number): Record<Stage, Layout> {
  const [T, C, D] = [rows(model.query), columns(model.x), columns(model.query)];
  const small = fitsNumbers(model);
  const names = namesWidth(model);
  const slot = (x: number, y: number, width: number, height: number, opacity = 1, flip = false): Slot => ({
    x,
    y,
    width,
    height,
    opacity,
    flip,
  });
  const limit = (size: number) => Math.min(46, size);
  const hide = (slot: Slot): Slot => ({ ...slot, opacity: 0 });
  const row = small ? 24 : Math.max(15, Math.min(22, 300 / T));

  // Input above, projections and their results below.
  const gap = 14;
  const third = (width - names - 2 * gap) / 3;
  const cell = Math.min(46, third / D);
  const place = (n: number) => names + n * (third + gap);
  const weightsTop = 44 + T * row + 34;
  const madeTop = weightsTop + (model.projections ? C * 19 + 38 : 0);
  const p = {
    x: slot(names, 44, small ? limit((width - names) / C) : (width - names) / C, row),
    wq: slot(place(0), weightsTop, cell, 19),
    wk: slot(place(1), weightsTop, cell, 19),
    wv: slot(place(2), weightsTop, cell, 19),
    q: slot(place(0), madeTop, cell, row),
    k: slot(place(1), madeTop, cell, row),
    v: slot(place(2), madeTop, cell, row),
  };
  // Queries left of the scores, keys above them.
  const queryWidth = small ? Math.min(38, (0.36 * width) / D) : (0.24 * width) / D;
  const left = names + D * queryWidth + 14;
  const unit = limit((width - left) / T);
  const keyRow = small ? 24 : Math.max(2.4, Math.min(4, 110 / D));
  const labels = unit < 34 ? 60 : 24;
  const scoresTop = 26 + labels + D * keyRow + 30;
  const rowHeight = small ? 28 : row;
  const s = {
    q: slot(names, scoresTop, queryWidth, rowHeight),
    k: slot(left, 26 + labels, unit, keyRow, 1, true),
    s: slot(left, scoresTop, unit, rowHeight),
  };
  // Scores beside weights where both fit, else weights alone.
  const both = T <= 7;
  const wUnit = both ? limit((width - names - 20) / (2 * T)) : limit((width - names) / T);
  const wTop = 26 + (wUnit < 34 ? 60 : 24);
  const w = {
    s: slot(names, wTop, wUnit, rowHeight, both ? 1 : 0),
    a: slot(both ? names + T * wUnit + 20 : names, wTop, wUnit, rowHeight),
  };
  // Values above the output, weights left of it.
  const outWidth = small ? Math.min(46, (0.4 * width) / D) : (0.3 * width) / D;
  const mUnit = limit((width - names - 24 - D * outWidth) / T);
  const outX = names + T * mUnit + 24;
  const valueRow = small ? 22 : row;
  const outTop = 44 + T * valueRow + 26 + (mUnit < 34 ? 60 : 24);
  const m = {
    v: slot(outX, 44, outWidth, valueRow),
    a: slot(names, outTop, mUnit, rowHeight),
    o: slot(outX, outTop, outWidth, rowHeight),
  };
  const panelHeight = arithmeticPanelHeight(model, true);
  const stage = (slots: Partial<Record<MatrixName, Slot>>, under: number): Layout => {
    const allSlots: Partial<Record<MatrixName, Slot>> = { ...p, ...s, ...w, ...m };
    const made = Object.fromEntries(
      (Object.keys(allSlots) as MatrixName[]).map((name) => [name, slots[name] ?? hide(allSlots[name]!)]),
    );
    return { ...made, arithmeticTop: under, height: under + panelHeight, aside: 0 } as Layout;
  };
  return {
    project: stage(p, madeTop + T * row + 26),
    scores: stage(s, scoresTop + T * rowHeight + 26),
    weights: stage(w, wTop + T * rowHeight + 26),
    mix: stage(m, outTop + T * rowHeight + 26),
  };
}

/** Box of a cell. A flipped matrix is drawn transposed. */
export function cellBox({ x, y, width, height, opacity, flip }: Slot, row: number, column: number): Box {
  return flip
    ? { x: x + row * width, y: y + column * height, width, height, opacity }
    : { x: x + column * width, y: y + row * height, width, height, opacity };
}

const mix = (a: number, b: number, t: number) => a + (b - a) * t;

/**
 * Box of a cell between two stages, at progress `t`. A row that becomes a column rotates around its first cell;
 * `transposed` is its progress, from 0 to 1.
 */
export function movedBox(
  from: Slot,
  to: Slot,
  row: number,
  column: number,
  t: number,
  transposed: number,
): Box {
  const [a, b] = [cellBox(from, row, column), cellBox(to, row, column)];
  const opacity =
    a.opacity > b.opacity
      ? mix(a.opacity, b.opacity, Math.min(1, t / 0.35))
      : mix(a.opacity, b.opacity, Math.max(0, (t - 0.6) / 0.4));
  if (Boolean(from.flip) === Boolean(to.flip) || a.opacity === 0 || b.opacity === 0) {
    return {
      x: mix(a.x, b.x, t),
      y: mix(a.y, b.y, t),
      width: mix(a.width, b.width, t),
      height: mix(a.height, b.height, t),
      opacity,
    };
  }
  const [start, end] = [cellBox(from, row, 0), cellBox(to, row, 0)];
  const angle = (transposed * Math.PI) / 2;
  return {
    x: mix(start.x, end.x, transposed) + Math.cos(angle) * column * a.width,
    y: mix(start.y, end.y, transposed) + Math.sin(angle) * column * b.height,
    width: mix(a.width, b.width, transposed),
    height: mix(a.height, b.height, transposed),
    opacity,
  };
}

/** Bounding box of cells. */
export function boundingBox(boxes: readonly Box[]): Box {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  return {
    x,
    y,
    width: Math.max(...boxes.map((box) => box.x + box.width)) - x,
    height: Math.max(...boxes.map((box) => box.y + box.height)) - y,
    opacity: Math.min(...boxes.map((box) => box.opacity)),
  };
}
export const cornerBoxes = (box: (row: number, column: number) => Box, R: number, C: number): Box[] =>
  [box(0, 0), box(R - 1, 0), box(0, C - 1), box(R - 1, C - 1)].slice(0, Math.max(1, range(R * C).length));
