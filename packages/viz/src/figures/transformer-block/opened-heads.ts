import { letterColor, weightShade } from "../attention-call/cells.js";
import type { Mark } from "../mark.js";
import type { Row } from "./row.js";
import { textMark } from "./text-mark.js";
import { isRemoved, kvHeadIndex, l2Norm, quoted, range, shown, vector } from "./model.js";
import type { Opened } from "./opened.js";
import { headHeight, weightCells } from "./opened-height.js";
import { removeMark } from "./part-box.js";
import { percentileScale, signedBar, sizeBar, vectorBars } from "./vector-bars.js";
import { fixed, signed } from "../fixed.js";

/** Layout of the heads inside an attention. Unit: pixels. */
type Grid = { left: number; cell: number; mapHeight: number; line: number; y: (h: number) => number };

function headsGrid(row: Row, { model, layout: { inside, phone } }: Opened): Grid {
  const { left, cell, names } = weightCells(model, { phone, width: inside.width });
  const line = headHeight(model) + (phone ? 14 : 0);
  return {
    left: inside.x + left,
    cell,
    mapHeight: Math.min(18, 0.5 * headHeight(model)),
    line,
    y: (h) => row.y + row.height + names + h * line,
  };
}

/** The heads of an attention: their weights, and their contributions to the residual stream. */
export function openedHeads(row: Row, opened: Opened): Mark[] {
  const { model, chosen, layout } = opened;
  const { t } = chosen;
  const grid = headsGrid(row, opened);
  const { left, cell, y } = grid;
  const marks = range(t + 1).map((j) => {
    const text = shown(model.tokens[j]!.text);
    const maxLetters = Math.max(1, Math.floor(cell / 7));
    const upright = cell < 26;
    const cut = upright || text.length <= maxLetters + 1 ? text : `${text.slice(0, maxLetters)}…`;
    return textMark(`heads/token:${j}`, left + (j + 0.5) * cell + (upright ? 3 : 0), y(0) - 6, cut, {
      ...(upright ? { rotate: 60, anchor: "end" as const } : { anchor: "middle" as const }),
      size: 11,
      fill: j === t ? "text" : "quiet",
    });
  });
  for (const h of range(model.numHeads)) {
    marks.push(...headName(h, row, grid, opened), ...headWeights(h, row, grid, opened));
    marks.push(...headWrite(h, row, grid, opened));
  }
  const hint = layout.phone
    ? "Press a head to look inside."
    : "The weights of each head, and the vector that it adds. Press a head to look inside.";
  return [
    ...marks,
    ...sharedKeys(grid, opened),
    textMark("heads/hint", layout.inside.x, y(model.numHeads) + 11, hint, { size: 11, fill: "quiet" }),
  ];
}

const isRemovedHead = ({ model, chosen: { l } }: Opened, h: number) =>
  isRemoved(model, `head-${l}-${h}`) || isRemoved(model, `attention-${l}`);

function headName(h: number, row: Row, { y, mapHeight, line }: Grid, opened: Opened): Mark[] {
  const { model, chosen, layout } = opened;
  const { box, phone } = layout;
  const off = isRemovedHead(opened, h);
  const id = `head-${chosen.l}-${h}`;
  const middle = y(h) + mapHeight / 2 + 4;
  const name = phone
    ? []
    : [textMark(`head:${h}/name`, box.x + 62, middle + 4, off ? "removed" : `head ${h}`)];
  return [
    {
      key: `head:${h}`,
      kind: "circle",
      x: box.x + 12,
      y: middle,
      radius: Math.min(11, line / 2 - 1),
      fill: "query",
      text: String(h),
      textFill: "paper",
      size: 11,
      weight: 600,
      home: `${row.key}/box`,
      opacity: off ? 0.45 : 1,
      layer: 1,
      ariaLabel: `head ${h}: reads KV head ${kvHeadIndex(model, h)}; press to look inside`,
      cell: `head:${h}`,
    },
    ...name,
    removeMark(
      { key: `head:${h}`, id, removed: isRemoved(model, id) },
      { x: phone ? box.x + 46 : box.x + box.width - 24, y: middle - 9 },
    ),
  ];
}

function headWeights(h: number, row: Row, { left, cell, mapHeight, y }: Grid, opened: Opened): Mark[] {
  const { model, chosen } = opened;
  const { t, l } = chosen;
  const weights = vector(model.blocks[l]!.weights, h, t).slice(0, t + 1);
  return weights.map((weight, j) => {
    const shade = weightShade(weight);
    return {
      key: `head:${h}:${j}`,
      kind: "rect",
      x: left + j * cell + 0.5,
      y: y(h),
      width: cell - 1,
      height: mapHeight,
      radius: 2,
      fill: "weight",
      fillOpacity: shade,
      stroke: "rule",
      home: `${row.key}/box`,
      opacity: isRemovedHead(opened, h) ? 0.45 : 1,
      size: 11,
      textFill: letterColor(shade),
      ...(cell >= 27 && { text: fixed(weight) }),
      ariaLabel: `head ${h}, weight of ${quoted(model.tokens[j]!.text)}: ${fixed(weight, 3)}`,
      cell: `weight:${h}:${j}`,
    };
  });
}

/** Contribution of a head: its vector, its norm, and its part of the logit. */
function headWrite(h: number, row: Row, { left, line, mapHeight, y }: Grid, opened: Opened): Mark[] {
  const { model, chosen, layout, scales, focus } = opened;
  const { t, l, target } = chosen;
  const { inside, phone, norm, logit } = layout;
  const write = vector(model.blocks[l]!.headWrites, h, t);
  const opacity = isRemovedHead(opened, h) ? 0.45 : 1;
  const x = phone ? left : inside.x;
  const name = `what head ${h} adds`;
  const marks: Mark[] = [];
  const strip = Math.min(20, line - mapHeight - 5 - (phone ? 14 : 0));
  if (strip >= 8) {
    const box = { x, y: y(h) + mapHeight + 2, width: inside.x + inside.width - x, height: strip };
    const home = `${row.key}/box`;
    marks.push(
      ...vectorBars(write, box, {
        key: `head-write:${h}`,
        name,
        scale: percentileScale([write]),
        color: "value",
        home,
        focus,
        opacity,
      }),
    );
  }
  const adds = target.heads[l]![h]!;
  if (phone) {
    const text = `norm ${fixed(l2Norm(write))} · ${quoted(target.text)} ${signed(adds)}`;
    return [
      ...marks,
      textMark(`head:${h}/note`, left, y(h) + line - 6, text, { size: 11, fill: "quiet", opacity }),
    ];
  }
  const place = { y: y(h) + mapHeight - 5, height: 10 };
  const ariaLabel = `${name}, in the logit of ${quoted(target.text)}: ${signed(adds)}`;
  return [
    ...marks,
    ...sizeBar(`head:${h}`, l2Norm(write), { ...norm, ...place }, { scale: scales.norm, name, opacity }),
    ...signedBar(
      `head:${h}/adds`,
      adds,
      { ...logit, ...place },
      { scale: scales.logit, text: signed(adds), ariaLabel, opacity },
    ),
  ];
}

/** The KV heads, with lines to their query heads. */
function sharedKeys({ y, mapHeight }: Grid, { model, layout: { box, phone } }: Opened): Mark[] {
  const middle = (h: number) => Math.round(y(h) + mapHeight / 2 + 4);
  const x = Math.round(box.x + (phone ? 33 : 44));
  return range(model.numKvHeads).flatMap((kv): Mark[] => {
    const readers = range(model.numHeads).filter((h) => kvHeadIndex(model, h) === kv);
    const center = (middle(readers[0]!) + middle(readers.at(-1)!)) / 2;
    const readersText = readers.length === 1 ? `head ${readers[0]}` : `heads ${readers.join(", ")}`;
    return [
      ...readers.map((h): Mark => ({
        key: `kv-wire:${h}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${Math.round(box.x + 23)} ${middle(h)}L${x} ${center}`,
        stroke: "query",
        opacity: 0.7,
      })),
      {
        key: `kv:${kv}`,
        kind: "rect",
        x: x - 6,
        y: center - 6,
        width: 12,
        height: 12,
        radius: 3,
        fill: "key",
        layer: 1,
        ariaLabel: `KV head ${kv}: its keys and values are read by ${readersText}`,
      },
    ];
  });
}
