import { labelWidth } from "../../picture.js";
import type { Mark } from "../mark.js";
import { rowMiddle, type Row } from "./row.js";
import { maxStreamRows } from "./layout.js";
import { textMark } from "./text-mark.js";
import { isRemoved, kvHeadIndex, partId, partText, range } from "./model.js";
import type { Shared } from "./shared.js";

type Label = { title: string; more?: string; open?: string };

/** Text in the box of a row, and the step that a press goes to. */
function boxLabel({ model, layout: { phone }, chosen: { l }, view }: Shared, { kind, k }: Row): Label {
  const C = model.stream[0]!.shape[1]!;
  // Without a row of the stream between blocks, labels have the number of the block.
  const numbered = view.zoom === "model" && model.blocks.length > maxStreamRows;
  const named = (part: string, k: number) => (numbered ? `${part} ${Math.floor(k / 2)}` : part);
  const norm = model.norm === "rms" ? "RMS norm" : "Layer norm";
  switch (kind) {
    case "embedding":
      return { title: "Embedding" };
    case "stream":
      if (view.zoom === "model")
        return { title: `= ${phone ? "" : "stream "}after block ${Math.floor((k - 1) / 2)}` };
      return {
        title: ["stream, x", "= x + attention", phone ? "= … + MLP" : "= x + attention + MLP"][k - 2 * l]!,
      };
    case "norm":
      return { title: norm, open: k % 2 ? "norm-2" : "norm-1" };
    case "final":
      return { title: phone ? "Final norm" : `Final ${norm}` };
    case "attention":
      return { title: named("Attention", k), more: `${model.numHeads} heads`, open: "heads" };
    case "mlp": {
      const F = model.blocks[Math.floor(k / 2)]!.hidden.shape[1]!;
      return { title: named("MLP", k), more: [C, F, C].join(phone ? "→" : " → "), open: "mlp" };
    }
    case "logit":
      return { title: phone ? "Unembed" : "Unembedding" };
  }
}

/** The box of a part, or the name of a point of the stream. */
export function partBox(row: Row, shared: Shared, opacity: number): Mark[] {
  const { model, layout, view } = shared;
  const { kind, k, key } = row;
  const { box, phone } = layout;
  const { title, more, open } = boxLabel(shared, row);
  const middle = rowMiddle(row);
  if (kind === "stream")
    return [
      textMark(`${key}/name`, box.x, middle + 4, title, { fill: "quiet", size: phone ? 11 : 12, opacity }),
    ];
  const part = kind === "attention" || kind === "mlp";
  const removed = part && isRemoved(model, partId(k));
  const isTall = row.height >= 58;
  const height = Math.min(row.height - (row.height > 24 ? 6 : 2), isTall ? 60 : 28);
  const y = middle - height / 2;
  const action = view.open === key ? "open" : open ? "press to open" : "the same for every token";
  const name = `${title.replace(/ \d+$/, "")}${part || kind === "norm" ? ` of block ${Math.floor(k / 2)}` : ""}`;
  const marks: Mark[] = [
    {
      key: `${key}/box`,
      kind: "rect",
      x: box.x,
      y,
      width: box.width,
      height,
      radius: 6,
      fill: "paper",
      stroke: view.open === key ? "text" : "quiet",
      strokeWidth: view.open === key ? 2.5 : 1.25,
      opacity,
      hatch: removed ? 1 : 0,
      layer: 1,
      ariaLabel: `${name}: ${removed ? "removed" : action}`,
      cell: open ? `open:${open}:${Math.floor(k / 2)}` : `box:${key}`,
    },
    textMark(`${key}/name`, box.x + 9, isTall ? y + 18 : middle + 4, removed ? "removed" : title, {
      weight: part ? 600 : 400,
      size: row.height < 18 ? 11 : phone ? 12 : 13,
      opacity,
    }),
  ];
  // The output of a norm is the input of the part below.
  if (kind === "norm" && row.opened === 0) {
    const x = box.x + box.width / 2;
    marks.push(
      {
        key: `${key}/over`,
        kind: "path",
        x,
        y: y + height,
        d: "M0 0V8",
        stroke: "text",
        strokeWidth: 1.5,
        opacity,
      },
      {
        key: `${key}/over/point`,
        kind: "path",
        x,
        y: y + height + 9,
        d: "M0 0l-3 -5h6z",
        fill: "text",
        opacity,
      },
    );
  }
  if (!part) return marks;
  marks.push(
    ...removeButton(
      row,
      shared,
      { x: box.x + box.width - 21, y: y + (isTall ? 5 : height / 2 - 9) },
      opacity,
    ),
  );
  if (!more || removed) return marks;
  if (isTall && kind === "attention") return [...marks, ...miniHeads(row, shared, y + 26, opacity)];
  const room = box.width - labelWidth([title]) * 1.2 - 50;
  if (isTall || (!phone && labelWidth([more]) * 0.92 < room)) {
    const at = isTall ? { x: box.x + 9, y: y + 40 } : { x: box.x + box.width - 26, y: middle + 4 };
    marks.push(
      textMark(`${key}/more`, at.x, at.y, more, {
        anchor: isTall ? "start" : "end",
        size: 11,
        fill: "quiet",
        opacity,
      }),
    );
  }
  return marks;
}

/** Small button that removes a part, or restores it. */
export function removeMark(
  { key, id, removed, size = 18 }: { key: string; id: string; removed: boolean; size?: number },
  { x, y }: { x: number; y: number },
  opacity = 1,
): Mark {
  return {
    key: `${key}/remove`,
    kind: "rect",
    x,
    y,
    width: size,
    height: size,
    radius: size / 2,
    fill: removed ? "text" : "rule",
    fillOpacity: removed ? 1 : 0.7,
    text: removed ? "+" : "×",
    textFill: removed ? "paper" : "quiet",
    size: Math.max(11, Math.min(13, size - 3)),
    weight: 600,
    opacity,
    layer: 2,
    ariaLabel: removed ? `put ${partText(id)} back` : `remove ${partText(id)}: it writes nothing`,
    cell: `remove:${id}`,
  };
}

function removeButton(
  { k, key, height }: Row,
  { model }: Shared,
  { x, y }: { x: number; y: number },
  opacity: number,
): Mark[] {
  const id = partId(k);
  const size = Math.min(18, height - 2);
  const at = { x: x + (18 - size), y: y + (18 - size) / 2 };
  return [removeMark({ key, id, removed: isRemoved(model, id), size }, at, opacity)];
}

/** Query heads wired to the KV heads that they share, inside the box of attention. */
function miniHeads({ key }: Row, { model, layout: { box } }: Shared, y: number, opacity: number): Mark[] {
  const { numHeads, numKvHeads } = model;
  const drawn = range(Math.min(numHeads, 12));
  const pitch = Math.min(20, (box.width - 24) / drawn.length);
  const x = (h: number) => Math.round(box.x + 16 + h * pitch);
  const kvWidth = Math.min(8, Math.max(2, (pitch * drawn.length) / Math.min(numKvHeads, drawn.length) - 2));
  const marks: Mark[] = [];
  for (const kv of range(numKvHeads)) {
    const readers = drawn.filter((h) => kvHeadIndex(model, h) === kv);
    if (readers.length === 0) continue;
    const center = Math.round((x(readers[0]!) + x(readers.at(-1)!)) / 2);
    for (const h of readers) {
      const d = `M${x(h)} ${Math.round(y + 5)}L${center} ${Math.round(y + 22)}`;
      marks.push(
        {
          key: `${key}/mini-wire:${h}`,
          kind: "path",
          x: 0,
          y: 0,
          d,
          stroke: "query",
          opacity: 0.6 * opacity,
          layer: 1,
        },
        {
          key: `${key}/mini:${h}`,
          kind: "circle",
          x: x(h),
          y: y + 4,
          radius: Math.min(4.5, pitch / 2 - 1),
          fill: "query",
          opacity,
          layer: 1,
        },
      );
    }
    marks.push({
      key: `${key}/mini-kv:${kv}`,
      kind: "rect",
      x: center - kvWidth / 2,
      y: y + 19,
      width: kvWidth,
      height: 8,
      radius: 2,
      fill: "key",
      opacity,
      layer: 1,
    });
  }
  return marks;
}
