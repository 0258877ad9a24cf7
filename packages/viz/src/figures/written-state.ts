import type { Control, Figure, FigureTable, Moment } from "./figure.js";
import { fixed } from "./fixed.js";
import type { Mark, Scene } from "./mark.js";
import { impliedMap, mapSize } from "./written-state/implied-map.js";
import type { WrittenStateChoices, WrittenStateModel } from "./written-state/model.js";
import { panelSize, statePanel } from "./written-state/state-panel.js";
import { mixtureText, steps } from "./written-state/steps.js";

export type {
  WrittenStateChoices,
  WrittenStateModel,
  WrittenText,
  WrittenToken,
} from "./written-state/model.js";

/**
 * *A state that is written and erased*: linear attention and the delta rule, token by token. The state is a matrix to which
 * each token adds the outer product of its key and a value; beside it is the attention map implied by its outputs.
 *
 * The model is made by `writtenStateModel` of `@qkv/figures/written-state`.
 *
 * @example
 * ```ts
 * import { writtenState } from "@qkv/viz/figures/written-state";
 *
 * writtenState.name; // => "written-state"
 * writtenState.modelInputs; // => ["text", "rule", "beta", "gate"]
 * ```
 */
export const writtenState: Figure<WrittenStateModel, WrittenStateChoices> = {
  name: "written-state",
  title: "A state that is written and erased",
  caption:
    "One head without softmax: colors are stored under the keys of things, then asked for. Grey: below 0.",
  initial: { text: "alike", rule: "delta", beta: 1, gate: 1 },
  modelInputs: ["text", "rule", "beta", "gate"],
  steps,
  scene,
  controls,
  table,
  press: ({ tokens }, _, cell) => {
    const [block, row] = cell.split(":");
    return block === "token" && tokens[Number(row)] ? { step: `token-${Number(row) + 1}` } : undefined;
  },
};

function scene(
  model: WrittenStateModel,
  _: WrittenStateChoices,
  { step, progress }: Moment,
  width: number,
): Scene {
  const { tokens, channels } = model;
  const token = tokens[step]!;
  const phone = width < 640;
  const cell = phone ? Math.min(48, (width - 84 - 16) / (channels.length + 1)) : 56;
  const panel = panelSize(model, cell);
  const gap = 40;
  const freeWidth = phone ? width : width - panel.width - gap;
  const mapCell = Math.min(phone ? 34 : 44, (freeWidth - 84 - 26) / tokens.length);
  const map = mapSize(tokens.length, mapCell);
  const totalWidth = panel.width + gap + map.width;
  const start = phone ? 0 : Math.max(0, (width - totalWidth) / 2);
  const chips = tokenRow(model, step, { x: start, width: width - start });
  const top = chips.height + 16;
  const mapPlace = phone
    ? { x: 0, y: top + panel.height + 8, cell: mapCell }
    : { x: start + panel.width + gap, y: top, cell: mapCell };
  // A query first reads the state; then the row of the map appears.
  const mapProgress = token.isQuery ? Math.max(0, 2 * progress - 1) : progress;
  const marks = [
    ...chips.marks,
    ...statePanel(model, token, progress, { x: start, y: top, cell }),
    ...impliedMap(model, step, mapProgress, mapPlace),
  ];
  const height = phone ? mapPlace.y + map.height : top + Math.max(panel.height, map.height);
  return { width, height, marks, description: describe(model, step) };
}

/** The text: tokens that store a value in the color of keys, tokens that query (`isQuery`) in that of queries. A press on one goes to its step. */
function tokenRow(
  { tokens }: WrittenStateModel,
  step: number,
  { x: left, width }: { x: number; width: number },
) {
  const marks: Mark[] = [];
  const [height, gap] = [30, 6];
  let [x, y] = [left, 1];
  tokens.forEach(({ text, isQuery }, t) => {
    const size = 22 + 8 * text.length;
    if (x > left && x + size > left + width) [x, y] = [left, y + height + gap];
    marks.push({
      key: `token:${t}`,
      kind: "rect",
      x,
      y,
      width: size,
      height,
      radius: 15,
      fill: isQuery ? "query" : "key",
      fillOpacity: t === step ? 0.3 : 0.08,
      stroke: t === step ? (isQuery ? "query" : "key") : "rule",
      strokeWidth: t === step ? 2 : 1,
      text,
      size: 13,
      weight: t === step ? 700 : 400,
      opacity: t <= step ? 1 : 0.6,
      ariaLabel: `${text}: open this step`,
      cell: `token:${t}:0`,
    });
    x += size + gap;
  });
  return { marks, height: y + height };
}

function describe({ tokens, channels }: WrittenStateModel, step: number): string {
  const { text, isQuery, output } = tokens[step]!;
  return isQuery
    ? `Asked for ${text} the state gives ${mixtureText(output, channels)}.`
    : `The state after ${text}: under its key it now holds ${mixtureText(output, channels)}.`;
}

function controls(): Control<WrittenStateChoices>[] {
  return [
    {
      kind: "choice",
      key: "text",
      label: "Text",
      options: [
        { value: "again", label: "a key again" },
        { value: "alike", label: "keys alike" },
        { value: "full", label: "more keys than rows" },
      ],
    },
    {
      kind: "choice",
      key: "rule",
      label: "Rule",
      options: [
        { value: "add", label: "only add" },
        { value: "delta", label: "erase first" },
      ],
    },
    {
      kind: "choice",
      key: "beta",
      label: "Beta",
      options: [1, 0.75, 0.5].map((value) => ({ value, label: String(value) })),
    },
    {
      kind: "choice",
      key: "gate",
      label: "Gate",
      options: [1, 0.9, 0.8].map((value) => ({ value, label: String(value) })),
    },
  ];
}

function table({ tokens, channels }: WrittenStateModel): FigureTable {
  return {
    columns: ["token", ...channels.map((channel) => `reads ${channel}`)],
    rows: tokens.map(({ text, output }) => [text, ...output.map((value) => fixed(value, 3))]),
  };
}
