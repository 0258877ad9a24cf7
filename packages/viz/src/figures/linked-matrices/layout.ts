import { labelWidth } from "../../picture.js";
import type { Box } from "../attention-call/layout.js";
import { tokenLabel } from "../attention-call/model.js";
import { keyLabels, headSizes, type LinkedMatricesModel, type LinkedMatrix } from "./model.js";
import type { TracedHead } from "../traced-head.js";

/** Layout of the figure. Unit: pixels. */
export type LinkedLayout = {
  /** All matrices side by side, in two blocks, or one block at a time. */
  kind: "band" | "blocks" | "phone";
  width: number;
  /** Width of the row names. */
  names: number;
  /** Rectangle of a number. The matrix of keys is drawn transposed: a key is a column. */
  place(name: LinkedMatrix, row: number, column: number): Box;
  /** Rectangle of a whole matrix. */
  whole(name: LinkedMatrix): Box;
  /** Matrices that this block shows. */
  shows(name: LinkedMatrix): boolean;
  /** Upper left corner of the small maps, and their maximum width. */
  maps: { x: number; y: number; width: number };
  /** Lower end of the matrices. */
  bottom: number;
};

const gap = 14;
const head = 24; // above a matrix, for its name
export const mapSize = 44;
/** Height of the small maps with their names. */
export const mapsHeight = mapSize + 52;

/** Layout at a width. `second`: on a phone, show weights, values and output instead of queries, keys and scores. */
export function linkedLayout(
  model: LinkedMatricesModel,
  traced: TracedHead,
  width: number,
  second: boolean,
): LinkedLayout {
  const { T, S, D } = headSizes(traced);
  const kind = width >= 860 ? "band" : width >= 640 ? "blocks" : "phone";
  const names = Math.min(90, labelWidth(model.tokens.map(tokenLabel)) + 12);
  const keyNames = Math.min(90, labelWidth(keyLabels(model).map(tokenLabel)));
  const columns = kind === "band" ? 2 * (D + S) : D + S;
  // The names of the rows of V, which is above, are between scores and weights.
  const gaps = kind === "band" ? 2 * gap + Math.max(44, keyNames + 12, names + 4) : gap;
  const room = width - names - gaps - 2;
  const even = Math.min(50, Math.floor(room / columns));
  // If numbers do not fit everywhere, the cells of scores and weights stay wide enough for them.
  const map =
    even >= 30 ? even : Math.max(even, Math.min(36, Math.floor((room * 0.55) / (columns / (D + S)) / S)));
  const cell = even >= 30 ? even : (room * ((D + S) / columns) - S * map) / D;
  const height = Math.max(20, Math.min(28, Math.round(map * 0.72)));
  const keyHeight = D > 16 ? Math.max(5, Math.floor(210 / D)) : height;
  const columnNames = keyNames <= map ? 18 : Math.min(64, keyNames * 0.94 + 8);
  const maps = kind === "band" ? { x: 0, y: 0, width: 0 } : { x: 0, y: 4, width };

  // Upper left corners of the six matrices.
  const corner = {} as Record<LinkedMatrix, { x: number; y: number }>;
  const start = kind === "band" ? 0 : maps.y + mapsHeight + 14;
  const above = Math.max(
    D * keyHeight + head + columnNames,
    kind === "band" ? mapsHeight + 20 + head + S * height : 0,
  );
  corner.q = { x: names, y: start + above + gap };
  corner.s = { x: names + D * cell + gap, y: corner.q.y };
  corner.k = { x: corner.s.x, y: corner.q.y - gap - D * keyHeight };
  let bottom = corner.q.y + T * height;
  if (kind === "band") {
    corner.a = { x: corner.s.x + S * map + gaps - 2 * gap, y: corner.q.y };
    corner.v = { x: corner.a.x + S * map + gap, y: corner.q.y - gap - S * height };
    corner.o = { x: corner.v.x, y: corner.q.y };
    maps.x = corner.a.x;
    maps.width = width - maps.x;
  } else {
    const top = kind === "phone" ? start : bottom + 18;
    corner.a = { x: names, y: top + head + Math.max(S * height + gap, columnNames) };
    corner.v = { x: names + S * map + gap, y: corner.a.y - gap - S * height };
    corner.o = { x: corner.v.x, y: corner.a.y };
    if (kind === "blocks" || second) bottom = corner.a.y + T * height;
  }
  const sizes: Record<LinkedMatrix, { R: number; C: number; cellWidth: number; cellHeight: number }> = {
    q: { R: T, C: D, cellWidth: cell, cellHeight: height },
    k: { R: D, C: S, cellWidth: map, cellHeight: keyHeight },
    v: { R: S, C: D, cellWidth: cell, cellHeight: height },
    s: { R: T, C: S, cellWidth: map, cellHeight: height },
    a: { R: T, C: S, cellWidth: map, cellHeight: height },
    o: { R: T, C: D, cellWidth: cell, cellHeight: height },
  };
  return {
    kind,
    width,
    names,
    maps,
    bottom: bottom + 6,
    shows: (name) => kind !== "phone" || second === "avo".includes(name),
    place(name, row, column) {
      const [r, c] = name === "k" ? [column, row] : [row, column];
      const { x, y } = corner[name];
      const { cellWidth, cellHeight } = sizes[name];
      return {
        x: x + c * cellWidth,
        y: y + r * cellHeight,
        width: cellWidth,
        height: cellHeight,
        opacity: 1,
      };
    },
    whole(name) {
      const { R, C, cellWidth, cellHeight } = sizes[name];
      return { ...corner[name], width: C * cellWidth, height: R * cellHeight, opacity: 1 };
    },
  };
}
