import { letterColor, weightShade } from "../attention-call/cells.js";
import type { Mark } from "../mark.js";
import type { Row } from "./row.js";
import { textMark } from "./text-mark.js";
import { kvHeadIndex, l2Norm, quoted, range, shown, vector } from "./model.js";
import type { Opened } from "./opened.js";
import { tokenLine } from "./opened-height.js";
import { percentileScale, signedBar, sizeBar, vectorBars } from "./vector-bars.js";
import { fixed, signed } from "../fixed.js";

/** Columns of the picture of one head. */
type Columns = {
  name: number;
  score: number;
  weight: number;
  weightWidth: number;
  value: number;
  end: number;
};

function headColumns({ layout: { inside, phone, box } }: Opened): Columns {
  const score = phone ? box.x + 96 : box.x + box.width - 34;
  const weight = phone ? score + 8 : inside.x;
  const weightWidth = phone ? 42 : 108;
  const end = inside.x + inside.width;
  return {
    name: phone ? box.x : box.x + 6,
    score,
    weight,
    weightWidth,
    value: weight + weightWidth + 14,
    end,
  };
}

/** One head: scores, weights, values, output, and its contribution to the residual stream. */
export function openedHead(row: Row, opened: Opened): Mark[] {
  const { model, chosen, layout } = opened;
  const { t, l, h } = chosen;
  const { values } = model.blocks[l]!;
  const at = headColumns(opened);
  const kv = kvHeadIndex(model, h);
  const top = row.y + row.height + 28;
  const scale = percentileScale(range(t + 1).map((j) => vector(values, kv, j)));
  const quiet = { size: 11, fill: "quiet" } as const;
  const value = layout.phone
    ? `value, ${values.shape[2]!} numbers`
    : `value in KV head ${kv}, ${values.shape[2]!} numbers; pale: little weight`;
  return [
    textMark("call/heading:token", at.name, top - 8, "token", quiet),
    textMark("call/heading:score", at.score, top - 8, "q·k / √d", { ...quiet, anchor: "end" }),
    textMark("call/heading:weight", at.weight, top - 8, "weight", quiet),
    textMark("call/heading:value", at.value, top - 8, value, quiet),
    ...range(t + 1).flatMap((j) => keyLine(j, top + j * tokenLine, at, scale, opened)),
    ...outcome(top + (t + 1) * tokenLine + 4, at, scale, opened),
  ];
}

/** The row of a key: its score, its weight, and its value, whose opacity is the weight. */
function keyLine(
  j: number,
  y: number,
  at: Columns,
  scale: number,
  { model, chosen, layout, focus }: Opened,
): Mark[] {
  const { t, l, h } = chosen;
  const { scores, weights, values } = model.blocks[l]!;
  const score = vector(scores, h, t)[j]!;
  const weight = vector(weights, h, t)[j]!;
  const shade = weightShade(weight);
  const token = model.tokens[j]!.text;
  const seen = Number.isFinite(score);
  const marks: Mark[] = [
    textMark(`call/token:${j}`, at.name, y + 14, shown(token), { weight: j === t ? 600 : 400 }),
    textMark(`call/score:${j}`, at.score, y + 14, seen ? fixed(score) : "masked", {
      anchor: "end",
      ariaLabel: `score of ${quoted(token)}: ${seen ? fixed(score, 3) : "masked"}`,
    }),
    {
      key: `head:${h}:${j}`,
      kind: "rect",
      x: at.weight,
      y: y + 2,
      width: 40,
      height: tokenLine - 4,
      radius: 2,
      fill: "weight",
      fillOpacity: shade,
      stroke: "rule",
      text: fixed(weight),
      textFill: letterColor(shade),
      size: 11,
      layer: 1,
      home: `head:${h}`,
      ariaLabel: `weight of ${quoted(token)}: ${fixed(weight, 3)}`,
      cell: `weight:${h}:${j}`,
    },
  ];
  if (!layout.phone)
    marks.push({
      key: `call/bar:${j}`,
      kind: "rect",
      x: at.weight + 44,
      y: y + 5,
      width: Math.max(0.5, weight * 64),
      height: tokenLine - 10,
      fill: "weight",
      fillOpacity: 0.7,
    });
  const box = { x: at.value, y: y + 1, width: at.end - at.value, height: tokenLine - 3 };
  const name = `value of ${quoted(token)}`;
  const opacity = 0.52 + 0.48 * Math.min(1, 1.5 * weight);
  return [
    ...marks,
    ...vectorBars(vector(values, kvHeadIndex(model, h), j), box, {
      key: `value:${j}`,
      name,
      scale,
      color: "value",
      opacity,
      focus,
    }),
  ];
}

/** The output of the head, and its contribution after the output projection. */
function outcome(
  y: number,
  at: Columns,
  scale: number,
  { model, chosen, layout, scales, focus }: Opened,
): Mark[] {
  const { t, l, h, target } = chosen;
  const { mixtures, headWrites } = model.blocks[l]!;
  const { phone, inside, norm, logit } = layout;
  const write = vector(headWrites, h, t);
  const below = y + 36;
  const name = `what head ${h} adds`;
  const mixture = { x: at.value, y: y + 6, width: at.end - at.value, height: 22 };
  const x = phone ? at.weight : inside.x;
  const marks: Mark[] = [
    {
      key: "call/line",
      kind: "path",
      x: at.name,
      y,
      d: `M0 0H${Math.round(at.end - at.name)}`,
      stroke: "quiet",
    },
    textMark("call/mixture", at.name, y + 21, phone ? "sum of weight × value" : "sum of weight × value", {
      weight: 600,
    }),
    ...vectorBars(vector(mixtures, h, t), mixture, {
      key: "mixture",
      name: `output of head ${h}`,
      scale,
      color: "value",
      focus,
    }),
    textMark("call/write", at.name, below + 15, phone ? "× output" : "× output matrix", { weight: 600 }),
    ...vectorBars(
      write,
      { x, y: below, width: at.end - x, height: 22 },
      { key: `head-write:${h}`, name, scale: percentileScale([write]), color: "value", focus },
    ),
  ];
  const adds = target.heads[l]![h]!;
  if (phone) {
    const text = `norm ${fixed(l2Norm(write))} · ${quoted(target.text)} ${signed(adds)}`;
    return [...marks, textMark(`head:${h}/note`, x, below + 36, text, { size: 11, fill: "quiet" })];
  }
  const place = { y: below + 6, height: 10 };
  const ariaLabel = `${name}, in the logit of ${quoted(target.text)}: ${signed(adds)}`;
  return [
    ...marks,
    ...sizeBar(`head:${h}`, l2Norm(write), { ...norm, ...place }, { scale: scales.norm, name }),
    ...signedBar(
      `head:${h}/adds`,
      adds,
      { ...logit, ...place },
      { scale: scales.logit, text: signed(adds), ariaLabel },
    ),
  ];
}
