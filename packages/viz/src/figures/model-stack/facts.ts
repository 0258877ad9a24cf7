import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { StackedModel } from "./model.js";
import { flopsAt, largeText, modelBytes, type StackMoment } from "./stack-numbers.js";

type Place = { x: number; y: number; width: number };

/** Height of a fact: its name, value and note. Unit: pixels. */
const factHeight = 58;

/** The name of a model and its numbers: parameters, layers, heads, cache, work. */
export function modelFacts(
  model: StackedModel,
  moment: StackMoment,
  prefix: string,
  { x, y, width }: Place,
): { marks: Mark[]; height: number } {
  const key = `${prefix}facts`;
  const { year, architecture, experts } = model;
  const about = [
    ...(year === null ? [] : [year]),
    `model_type “${architecture}”`,
    ...(experts ? [`${experts.count} experts, ${experts.perToken} a token`] : []),
  ].join(" · ");
  const marks: Mark[] = [
    { key: `${key}:name`, kind: "text", x, y: y + 18, text: model.name, size: 20, weight: 700 },
    { key: `${key}:about`, kind: "text", x, y: y + 36, text: about, fill: "quiet" },
  ];
  const columns = width >= 900 ? 6 : width >= 460 ? 3 : 2;
  const pitch = width / columns;
  const facts = factTexts(model, moment);
  let top = y + 46;
  for (let row = 0; row < facts.length; row += columns) {
    facts.slice(row, row + columns).forEach(({ id, name, value, note }, i) => {
      const left = x + i * pitch;
      marks.push(
        { key: `${key}:${id}:name`, kind: "text", x: left, y: top + 14, text: name, size: 11, fill: "quiet" },
        {
          key: `${key}:${id}:value`,
          kind: "text",
          x: left,
          y: top + 33,
          text: value,
          size: 17,
          weight: 700,
        },
        { key: `${key}:${id}:note`, kind: "text", x: left, y: top + 48, text: note, size: 11, fill: "quiet" },
      );
    });
    top += factHeight;
  }
  return { marks, height: top - y };
}

function factTexts(model: StackedModel, moment: StackMoment) {
  const { parameters, activeParameters, experts, sides, embedDim, kinds } = model;
  const count = sides.reduce((sum, { layers }) => sum + layers.length, 0);
  const { heads } = kinds.find(({ limit }) => limit !== 0) ?? kinds[0]!;
  const cached = model.bytesPerToken > 0;
  const cross = kinds.find((kind) => kind.cross);
  return [
    {
      id: "parameters",
      name: "Parameters",
      value: largeText(parameters),
      note: experts ? `${largeText(activeParameters)} active` : "",
    },
    { id: "layers", name: "Layers", value: String(count), note: `width ${countText(embedDim)}` },
    {
      id: "heads",
      name: heads.kind === "MLA" ? "Query heads / row (MLA)" : "Query heads / KV heads",
      value: heads.kind === "MLA" ? `${heads.numHeads} / 1` : `${heads.numHeads} / ${heads.numKvHeads}`,
      note:
        heads.kind === "MLA" ? `of ${heads.keyDim + heads.valueDim} numbers` : `of ${heads.keyDim} numbers`,
    },
    {
      id: "token",
      name: "Cache per token",
      value: cached ? bytesText(model.bytesPerToken) : "none",
      note: !cached
        ? "an encoder keeps nothing"
        : kinds.some(({ limit }) => limit !== null && limit > 0)
          ? "until windows are full"
          : "in all layers, 16 bits",
    },
    {
      id: "cache",
      name: `Cache at ${countText(moment.tokens)} tokens`,
      value: cached ? bytesText(modelBytes(model, moment.tokens)) : "none",
      note: cross ? "without the encoder’s tokens" : cached ? "of one sequence" : "",
    },
    {
      id: "work",
      name: "Work per token",
      value: largeText(flopsAt(model, moment)),
      note: `operations, at ${countText(moment.tokens)} tokens`,
    },
  ];
}

/** Three cache sizes: the actual one, one without windows, and one without windows whose query heads all have their own keys and values. */
function comparedCaches(
  model: StackedModel,
): { id: string; name: string; bytes: (tokens: number) => number; fillOpacity: number }[] {
  const { kinds, bytesPerToken, fullBytesPerToken: full, unsharedBytesPerToken: unshared } = model;
  if (bytesPerToken === 0) return [];
  const limited = kinds.some(({ limit, cross }) => limit !== null && !cross);
  const unsharedText = "every query head had its own keys and values";
  return [
    { id: "own", name: "as it is", bytes: (tokens) => modelBytes(model, tokens), fillOpacity: 0.9 },
    ...(limited
      ? [
          {
            id: "full",
            name: "if every layer kept every token",
            bytes: (tokens: number) => full * tokens,
            fillOpacity: 0.35,
          },
        ]
      : []),
    ...(unshared > full
      ? [
          {
            id: "unshared",
            name: `${limited ? "and" : "if"} ${unsharedText}`,
            bytes: (tokens: number) => unshared * tokens,
            fillOpacity: 0.2,
          },
        ]
      : []),
  ];
}

/** Height of a bar with its label. Unit: pixels. */
const barHeight = 36;

/** Height of the bars of a model; 0 without a cache. */
export const barsHeight = (model: StackedModel): number => {
  const count = comparedCaches(model).length;
  return count === 0 ? 0 : 22 + count * barHeight;
};

/** Bars of the cache, on a scale up to `maxBytes`. */
export function cacheBars(
  model: StackedModel,
  { tokens }: StackMoment,
  maxBytes: number,
  prefix: string,
  { x, y, width }: Place,
): { marks: Mark[]; height: number } {
  const rows = comparedCaches(model);
  if (rows.length === 0) return { marks: [], height: 0 };
  const key = `${prefix}cache`;
  const marks: Mark[] = [
    {
      key: `${key}:title`,
      kind: "text",
      x,
      y: y + 12,
      text: `KV cache at ${countText(tokens)} tokens`,
      size: 13,
      weight: 600,
    },
  ];
  let top = y + 22;
  rows.forEach(({ id, name, bytes, fillOpacity }, i) => {
    const value = bytes(tokens);
    const length = Math.max(1.5, (value / maxBytes) * (width - 2));
    marks.push(
      { key: `${key}:${id}:name`, kind: "text", x, y: top + 12, text: name, size: 11, fill: "quiet" },
      {
        key: `${key}:${id}:bytes`,
        kind: "text",
        x: x + width,
        y: top + 12,
        text: bytesText(value),
        anchor: "end",
        weight: 600,
      },
      {
        key: `${key}:${id}:bar`,
        kind: "rect",
        x,
        y: top + 17,
        width: length,
        height: 12,
        radius: 2,
        fill: "text",
        fillOpacity,
        ariaLabel: `${model.name}, KV cache ${name}: ${bytesText(value)}`,
        cell: `${key}:${i}:0`,
      },
    );
    top += barHeight;
  });
  return { marks, height: top - y };
}

/** Sentences under the picture. */
export function noteMarks(
  text: string,
  key: string,
  { x, y, width }: Place,
): { marks: Mark[]; height: number } {
  const lines = wrapText(text, width);
  return {
    marks: lines.map((line, i) => ({
      key: `${key}:${i}`,
      kind: "text",
      x,
      y: y + 12 + 16 * i,
      text: line,
      fill: "quiet",
    })),
    height: 16 * lines.length,
  };
}
