import { labelWidth } from "../../picture.js";
import { openedHeight } from "./opened-height.js";
import type { Row } from "./row.js";
import type { View } from "./view.js";
import { range, shown, type Chosen, type TransformerBlockModel } from "./model.js";

/** A horizontal interval. Unit: pixels. */
export type Column = { x: number; width: number };

/** Layout of a scene at a width. Unit: pixels. */
export type Layout = {
  phone: boolean;
  width: number;
  /** Interval of each token, for its label and the line of its stream. */
  chips: readonly { x: number; y: number; width: number }[];
  lanes: readonly number[];
  lanesTop: number;
  box: Column;
  vector: Column;
  norm: Column;
  logit: Column;
  /** Interval of the content of an expanded part. */
  inside: Column;
  headings: number;
  rows: readonly Row[];
  /** Outlines of blocks. */
  blocks: readonly { layer: number; y: number; height: number }[];
  /** Top of the next tokens. */
  next: number;
};

export const chipHeight = 24;
/** Maximum number of blocks for which the residual stream after each part has a row. */
export const maxStreamRows = 5;
const crumbs = 34;

export function sceneLayout(model: TransformerBlockModel, chosen: Chosen, view: View, width: number): Layout {
  const phone = width < 640;
  const { tokens } = model;
  const T = tokens.length;
  const pitch = phone ? Math.min(6, 48 / T) : Math.min(18, 150 / T);
  const lanes = range(T).map((t) => 10 + t * pitch);
  const boxX = lanes.at(-1)! + (phone ? 14 : 30);
  const box = { x: boxX, width: phone ? 100 : Math.min(180, 0.16 * width) };
  const vectorX = box.x + box.width + (phone ? 10 : 22);
  const logit = { x: 0.84 * width, width: phone ? 0 : 0.16 * width - 10 };
  const norm = { x: logit.x - 114, width: phone ? 0 : 94 };
  const vector = { x: vectorX, width: (phone ? width : norm.x - 20) - vectorX };

  const inside = phone ? { x: box.x, width: width - box.x } : vector;

  const chips: { x: number; y: number; width: number }[] = [];
  let [x, y] = [0, crumbs];
  const step = chipHeight + (phone ? 20 : 22);
  for (const { text, id } of tokens) {
    const chipWidth = Math.max(labelWidth([shown(text)]) + 14, 0.92 * labelWidth([String(id)]) + 4);
    if (x + chipWidth > width && x > 0) [x, y] = [0, y + step];
    chips.push({ x, y, width: chipWidth });
    x += chipWidth + 6;
  }
  const lanesTop = y + chipHeight + (phone ? 20 : 42);
  const headings = lanesTop + (phone ? 14 : 2);
  let at = headings + (phone ? 20 : 10);
  const rows: Row[] = [];
  const blocks: { layer: number; y: number; height: number }[] = [];
  const add = (kind: Row["kind"], k: number, height: number, key = `${kind}:${k}`) => {
    const opened = view.open === key ? openedHeight(model, chosen, view, { phone, width: inside.width }) : 0;
    rows.push({ key, kind, k, y: at, height, opened, seen: view.seen(kind, k) });
    at += height + opened;
  };
  if (view.zoom === "block") blockRows();
  else modelRows();

  function blockRows() {
    const { l } = chosen;
    const open = view.open !== undefined;
    const phoneExtra = phone ? 14 : 0;
    const [stream, norm, part] = open
      ? [30 + phoneExtra, 32 + phoneExtra, 44 + phoneExtra]
      : [40 + phoneExtra, 40 + phoneExtra, 66 + phoneExtra];
    at += 6;
    add("stream", 2 * l, stream);
    const top = at;
    add("norm", 2 * l, norm);
    add("attention", 2 * l, part);
    add("stream", 2 * l + 1, stream);
    add("norm", 2 * l + 1, norm);
    add("mlp", 2 * l + 1, part);
    blocks.push({ layer: l, y: top, height: at - top });
    at += 8;
    add("stream", 2 * l + 2, stream);
    at += 6;
  }
  function modelRows() {
    const L = model.blocks.length;
    const phoneExtra = phone && L <= 6 ? 14 : 0;
    const [part, after] = L <= maxStreamRows ? [31 + phoneExtra, 20] : L <= 14 ? [20, 0] : [15, 0];
    add("embedding", 0, 32 + phoneExtra);
    at += 4;
    for (let layer = 0; layer < L; layer++) {
      const top = at;
      add("attention", 2 * layer, part);
      add("mlp", 2 * layer + 1, part);
      blocks.push({ layer, y: top, height: at - top });
      if (after > 0) add("stream", 2 * layer + 2, after);
      at += after > 0 ? 2 : 5;
    }
    if (after === 0) add("stream", 2 * L, 24);
    add("final", 2 * L, 32 + phoneExtra);
    add("logit", 0, phone ? 44 : 32);
  }
  return {
    phone,
    width,
    chips,
    lanes,
    lanesTop,
    box,
    vector,
    norm,
    logit,
    inside,
    headings,
    rows,
    blocks,
    next: at + 10,
  };
}
