import { px } from "../../picture.js";
import type { Mark } from "../mark.js";
import { kvHeadIndex } from "../heads-and-keys/panel.js";
import { countText } from "../bytes-text.js";
import type { StackKind } from "./model.js";

const kvHeight = 18;
/** Maximum number of drawn heads, as their number may come from a file. */
const maxHeads = 256;

/** Query heads, and lines to the KV heads, the latent or the states that they read. */
export function wiring(
  { id, heads }: StackKind,
  prefix: string,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): Mark[] {
  const { kind } = heads;
  const share = heads.numHeads / heads.numKvHeads;
  const numHeads = Math.min(heads.numHeads, maxHeads);
  const numKvHeads = share < 1 ? Math.min(heads.numKvHeads, maxHeads) : Math.ceil(numHeads / share);
  const few = Math.min(numHeads, Math.max(6, Math.ceil(width / 34)));
  const pitch = Math.min(width / numHeads, width / few);
  const left = x + (width - pitch * numHeads) / 2;
  const radius = Math.max(0.9, Math.min(9, pitch / 2 - (pitch > 8 ? 1.5 : 0.3)));
  const top = y + 10;
  const kvY = y + height - kvHeight;
  const center = (query: number) => left + (query + 0.5) * pitch;
  const key = `${prefix}${id}`;
  const wires: string[] = [];
  const marks: Mark[] = [];
  const kvHead = (query: number) => kvHeadIndex(query, heads.numHeads, heads.numKvHeads);
  const groups = Array.from({ length: numKvHeads }, (_, group) => {
    // A recurrent layer may have more states than query heads.
    if (share < 1)
      return { group, middle: left + ((group + 0.5) * pitch * numHeads) / numKvHeads, readers: 1 };
    const readers = Array.from({ length: numHeads }, (_, q) => q).filter((query) => kvHead(query) === group);
    return { group, middle: (center(readers[0]!) + center(readers.at(-1)!)) / 2, readers: readers.length };
  });
  const wire = (from: number, to: number) => {
    const [start, middle] = [top + radius, (top + radius + kvY) / 2];
    wires.push(
      `M${px(from)} ${px(start)}C${px(from)} ${px(middle)} ${px(to)} ${px(middle)} ${px(to)} ${px(kvY)}`,
    );
  };
  if (share < 1)
    groups.forEach(({ group, middle }) =>
      wire(center(Math.min(numHeads - 1, Math.floor(group * share))), middle),
    );
  else for (let query = 0; query < numHeads; query++) wire(center(query), groups[kvHead(query)]!.middle);
  marks.push({
    key: `${key}:wires`,
    kind: "path",
    x: 0,
    y: 0,
    d: wires.join(""),
    stroke: "query",
    strokeWidth: pitch > 14 ? 1.5 : 1,
    opacity: pitch > 4 ? 0.6 : 0.4,
  });
  for (let query = 0; query < numHeads; query++)
    marks.push({
      key: `${key}:query:${query}`,
      kind: "circle",
      x: center(query),
      y: top,
      radius,
      fill: "query",
      layer: 1,
    });
  const room = (pitch * numHeads) / numKvHeads;
  const boxWidth = kind === "MLA" ? Math.min(120, width * 0.6) : Math.max(1, Math.min(44, room * 0.86));
  if (kind === "MLA")
    marks.push({
      key: `${key}:latent`,
      kind: "text",
      x: groups[0]!.middle,
      y: kvY + 13,
      text: "K and V",
      anchor: "middle",
      size: 11,
      weight: 600,
      fill: "paper",
      layer: 2,
    });
  for (const { group, middle, readers } of groups) {
    const box = { x: middle - boxWidth / 2, y: kvY, height: kvHeight, radius: Math.min(3, boxWidth / 6) };
    const ariaLabel = headReads(heads, group, readers);
    if (kind === "state") {
      marks.push({
        ...box,
        key: `${key}:kv:${group}`,
        kind: "rect",
        width: boxWidth,
        fill: "cost",
        layer: 1,
        ...(boxWidth > 14 && { text: "S", textFill: "paper", size: 11, weight: 600 }),
        ariaLabel,
        cell: `${key}:heads:${group}`,
      });
      continue;
    }
    for (const [side, letter, at] of [
      ["key", "K", 0],
      ["value", "V", 1],
    ] as const)
      marks.push({
        ...box,
        key: `${key}:${side}:${group}`,
        kind: "rect",
        x: box.x + (at * boxWidth) / 2,
        width: Math.max(0.7, boxWidth / 2 - (boxWidth > 8 && kind !== "MLA" ? 1 : 0)),
        ...(kind === "MLA" && { radius: 0 }),
        fill: side,
        layer: 1,
        ...(boxWidth > 26 && kind !== "MLA" && { text: letter, textFill: "paper", size: 11, weight: 600 }),
        ariaLabel,
        cell: `${key}:heads:${group}`,
      });
  }
  return marks;
}

function headReads({ kind, keyDim, valueDim }: StackKind["heads"], group: number, readers: number): string {
  if (kind === "MLA")
    return `one compressed row of ${countText(keyDim + valueDim)} numbers a token, read by ${readers} query heads`;
  if (kind === "state") return `state ${group}: ${keyDim} × ${valueDim} numbers, however long the text`;
  return `KV head ${group}: a key of ${keyDim} and a value of ${valueDim} numbers a token, read by ${readers === 1 ? "one query head" : `${readers} query heads`}`;
}

/** Heads in words: "32 query heads share 8 KV heads (GQA)". */
export function headsText(heads: StackKind["heads"]): string {
  const text = sharingText(heads);
  return Math.max(heads.numHeads, heads.numKvHeads) > maxHeads ? `${text}; ${maxHeads} are drawn` : text;
}

function sharingText({ kind, numHeads, numKvHeads, keyDim, valueDim }: StackKind["heads"]): string {
  const heads = `${numHeads} query ${numHeads === 1 ? "head" : "heads"}`;
  switch (kind) {
    case "MHA":
      return `${numHeads} heads, each with its own keys and values (MHA)`;
    case "MQA":
      return `${heads} share one KV head (MQA)`;
    case "GQA":
      return `${heads} share ${numKvHeads} KV heads (GQA)`;
    case "MLA":
      return `${heads} read one compressed row of ${keyDim + valueDim} numbers, for keys and values alike (MLA)`;
    case "state":
      return `${numKvHeads} states of ${keyDim} × ${valueDim} numbers`;
  }
}
