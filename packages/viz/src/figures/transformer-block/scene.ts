import { labelWidth } from "../../picture.js";
import { inStages } from "../in-stages.js";
import type { Moment } from "../figure.js";
import type { Mark, Scene } from "../mark.js";
import { addition } from "./addition.js";
import { sceneLayout, type Layout } from "./layout.js";
import {
  chosen as choose,
  partText,
  quoted,
  type Chosen,
  type TransformerBlockChoices,
  type TransformerBlockModel,
} from "./model.js";
import { nextHeight, nextTokens } from "./next.js";
import { openedFrame } from "./opened.js";
import { openedHead } from "./opened-head.js";
import { openedHeads } from "./opened-heads.js";
import { openedMlp } from "./opened-mlp.js";
import { openedNorm } from "./opened-norm.js";
import type { Row } from "./row.js";
import { rowMarks } from "./rows.js";
import { sharedScales } from "./scales.js";
import type { Shared } from "./shared.js";
import { steps } from "./steps.js";
import { streams, wires } from "./streams.js";
import { stepView, type View } from "./view.js";
import { percent } from "../percents.js";

/** The scene of a moment, between the view of the previous step and that of this step. */
export function scene(
  model: TransformerBlockModel,
  choices: TransformerBlockChoices,
  { step, progress, focus }: Moment,
  width: number,
): Scene {
  const ids = steps(model, choices).map(({ id }) => id);
  const chosen = choose(model, choices);
  const still = (i: number) => stillScene(model, chosen, stepView(model, chosen, ids[i]!), width, focus);
  const to = still(step);
  if (progress >= 1 || step === 0) return to;
  const now = inStages(still(step - 1), to, progress);
  const added = { "add-1": 2 * chosen.l, block: 2 * chosen.l + 1 }[ids[step]!];
  return added === undefined ? now : { ...now, marks: [...now.marks, ...addition(to, added, progress)] };
}

function stillScene(
  model: TransformerBlockModel,
  chosen: Chosen,
  view: View,
  width: number,
  focus: string | undefined,
): Scene {
  const layout = sceneLayout(model, chosen, view, width);
  const scales = sharedScales(model, chosen, view);
  const shared = { model, chosen, layout, view, scales, focus };
  const marks: Mark[] = [...backgrounds(layout, chosen, view), ...streams(model, chosen, layout, view)];
  for (const row of layout.rows) {
    marks.push(...wires(model, chosen, layout, view, row), ...rowMarks(row, shared));
    if (row.opened === 0) continue;
    marks.push(...openedFrame(row, shared));
    marks.push(...openedPart(row, shared));
  }
  marks.push(
    ...headings(model, chosen, layout, view),
    ...crumbs(chosen, layout, view),
    ...nextTokens(model, chosen, layout, view),
  );
  const height = layout.next + nextHeight(layout.phone, model.next[chosen.t]!.length);
  return { width, height, marks, description: describe(model, chosen, view) };
}

/** The content of an expanded row. */
function openedPart(row: Row, shared: Shared): Mark[] {
  if (row.kind === "norm") return openedNorm(row, shared);
  if (row.kind === "mlp") return openedMlp(row, shared);
  return shared.view.head ? openedHead(row, shared) : openedHeads(row, shared);
}

/** Background bands of the blocks. */
function backgrounds({ blocks, box, width }: Layout, { l }: Chosen, { zoom }: View): Mark[] {
  return blocks.map(({ layer, y, height }): Mark => ({
    key: `block:${layer}`,
    kind: "rect",
    x: box.x - 8,
    y,
    width: width - box.x + 8,
    height,
    radius: 8,
    fill: "rule",
    fillOpacity: zoom === "model" ? 0.32 : 0.2,
    ...(zoom === "model" && layer === l && { stroke: "hatch" }),
    ariaLabel: `block ${layer}: press to open`,
    cell: `block:${layer}`,
  }));
}

/** Names of the columns. */
function headings(
  { tokens }: TransformerBlockModel,
  { t, target }: Chosen,
  { phone, vector, norm, logit, headings: y }: Layout,
  { speaks, zoom, tokens: alone }: View,
): Mark[] {
  const at = (key: string, x: number, text: string, more: Partial<Mark> = {}): Mark => ({
    key: `heading:${key}`,
    kind: "text",
    x,
    y,
    text,
    size: 11,
    fill: "quiet",
    layer: 1,
    opacity: alone ? 0.3 : 1,
    ...more,
  });
  const word = quoted(tokens[t]!.text);
  const name = `vector of ${word}`;
  if (phone) return [at("vector", vector.x, name)];
  const scale = zoom === "model" ? "each to its own scale" : "stream and writes to one scale";
  const wordings = [
    `${name}: up above 0, down and gray below; ${scale}`,
    `${name}: up above 0, down and gray below`,
  ];
  return [
    at(
      "vector",
      vector.x,
      [...wordings, name].find((text) => labelWidth([text]) * 0.95 <= vector.width) ?? name,
    ),
    at("norm", norm.x, "norm"),
    at("logit", logit.x + logit.width, `adds to logit of ${quoted(target.text)}`, {
      anchor: "end",
      ...(speaks === "logits" && { fill: "text", weight: 600 }),
    }),
  ];
}

/** Breadcrumbs: model, block, part, head. */
function crumbs({ l, h }: Chosen, { phone }: Layout, { zoom, open, head }: View): Mark[] {
  const list = [{ text: "Model", cell: "zoom:model", label: "the whole model" }];
  if (zoom === "block") list.push({ text: `Block ${l}`, cell: "zoom:block", label: `the whole block ${l}` });
  const part = open?.split(":")[0];
  if (part) {
    const name = { norm: "Norm", attention: "Attention", mlp: "MLP" }[part]!;
    list.push({ text: name, cell: part === "attention" ? "zoom:heads" : "zoom:here", label: name });
  }
  if (head) list.push({ text: `Head ${h}`, cell: "zoom:here", label: `head ${h}` });
  const marks: Mark[] = [];
  let x = 0;
  list.forEach(({ text, cell, label }, i) => {
    const last = i === list.length - 1;
    const width = labelWidth([text]) * 1.05 + 14;
    marks.push({
      key: `crumb:${text.split(" ")[0]}`,
      kind: "rect",
      x,
      y: 2,
      width,
      height: 22,
      radius: 11,
      fill: "rule",
      fillOpacity: last ? 0.9 : 0.35,
      text,
      weight: last ? 600 : 400,
      layer: 1,
      ariaLabel: last ? `seen now: ${label}` : `go to ${label}`,
      cell,
    });
    x += width + 16;
    if (!last)
      marks.push({
        key: `crumb:${i}/then`,
        kind: "text",
        x: x - 8,
        y: 17,
        text: "›",
        anchor: "middle",
        fill: "quiet",
        size: 14,
        layer: 1,
      });
  });
  const hint = phone
    ? "press to open · × removes"
    : "Press a block, a part or a head to open it. × removes a part.";
  if (!phone || list.length < 3)
    marks.push({
      key: "crumb:hint",
      kind: "text",
      x: x + 4,
      y: 17,
      text: hint,
      fill: "quiet",
      size: phone ? 11 : 12,
      layer: 1,
    });
  return marks;
}

function describe(model: TransformerBlockModel, { t, l, target }: Chosen, { zoom, open }: View): string {
  const { blocks, numHeads, removed } = model;
  const where =
    zoom === "model"
      ? `${blocks.length} blocks of a decoder`
      : `Block ${l} of a decoder${open ? `, ${open.split(":")[0]} opened` : ""}`;
  const without =
    removed === "none" ? "" : ` Without ${partText(removed)} it was ${percent(target.before)} before.`;
  return `${where}, ${numHeads} heads each, on ${model.tokens.length} tokens. After ${quoted(model.tokens[t]!.text)} the probability of ${quoted(target.text)} is ${percent(target.now)}.${without}`;
}
