import { labelWidth } from "../picture.js";
import { wrapText } from "./wrap-text.js";
import type { Control, Figure, Moment, Step } from "./figure.js";
import type { Mark, Scene } from "./mark.js";
import { bytesText, countText } from "./bytes-text.js";
import { barsHeight, cacheBars } from "./heads-and-keys/cache-bars.js";
import { cacheGrowth, type CacheGrowth } from "./heads-and-keys/cache-growth.js";
import type { HeadsAndKeysChoices, HeadsAndKeysModel, HeadsKind } from "./heads-and-keys/model.js";
import { headsText, kindHeading, kindNumbers, kindTime, layersText } from "./heads-and-keys/kind-text.js";
import { kvHeadIndex, panel, panelHeight, type Lit } from "./heads-and-keys/panel.js";

export type {
  HeadsAndKeysChoices,
  HeadsAndKeysModel,
  HeadsKind,
  HeadsPart,
  HeadsTime,
} from "./heads-and-keys/model.js";

/**
 * *KV cache size: MHA, GQA, MQA and MLA*: query heads connected to their KV heads, and the KV cache of each way to share them as it
 * grows, token by token and then by doubling. Bytes are exact, and areas are in proportion to bytes; times are measured or estimated.
 *
 * @example
 * ```ts
 * import { headsAndKeys } from "@qkv/viz/figures/heads-and-keys";
 *
 * headsAndKeys.name; // => "heads-and-keys"
 * headsAndKeys.modelInputs; // => ["model", "numHeads", "numKvHeads", "time"]
 * ```
 */
export const headsAndKeys: Figure<HeadsAndKeysModel, HeadsAndKeysChoices> = {
  name: "heads-and-keys",
  title: "KV cache size: MHA, GQA, MQA and MLA",
  caption:
    "Each generated token adds keys and values to the cache, and each new token reads the whole cache. Fewer KV heads, or a latent for all heads, mean fewer bytes.",
  initial: { model: "llama-3.1-8b", numHeads: 0, numKvHeads: 0, time: "h100" },
  modelInputs: ["model", "numHeads", "numKvHeads", "time"],
  steps: (model) => model.lengths.map((_, i) => lengthStep(model, i)),
  scene,
  controls,
  table,
};

function lengthStep({ words, lengths, kinds }: HeadsAndKeysModel, index: number): Step {
  const tokens = lengths[index]!;
  const single = tokens <= words.length;
  const readTexts = kinds.map((kind) => `${kind.name} reads ${bytesText(kind.bytes[index]!)}`);
  const growth = single
    ? `“${words[index]!}” is processed once: each KV head adds one key and one value to its column, and MLA adds one latent.`
    : `The cache doubles. Each row now represents ${countText(tokens / words.length)} tokens.`;
  return {
    id: `tokens-${tokens}`,
    chapter: single ? "Token by token" : "Doubling",
    title: single ? `Token ${tokens}: “${words[index]!}”` : `${countText(tokens)} tokens`,
    text: `${growth} To generate the next token, ${listText(readTexts)}.`,
    milliseconds: index < 3 ? 2600 : single ? 1100 : 1800,
  };
}

const headingHeight = 44;

/** Layout in a width: panels side by side, or one below the other. */
function panelsLayout({ kinds, words }: HeadsAndKeysModel, width: number) {
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const gap = phone ? 0 : 28;
  const columns = phone ? 1 : width < 1000 ? Math.min(2, kinds.length) : kinds.length;
  const inner = width - 2 * margin;
  return {
    phone,
    margin,
    inner,
    columns,
    panelWidth: (inner - gap * (columns - 1)) / columns,
    gap,
    wires: phone ? 40 : 64,
    row: phone ? 5 : 9,
    rows: words.length,
  };
}

function scene(model: HeadsAndKeysModel, _: HeadsAndKeysChoices, moment: Moment, width: number): Scene {
  const { kinds, lengths, words } = model;
  const layout = panelsLayout(model, width);
  const { phone, margin, inner, columns, panelWidth, gap } = layout;
  const growth = cacheGrowth(lengths, words.length, moment.step, moment.progress);
  const strip = tokenStrip(model, growth, { x: margin, y: 4, width: inner });
  const body = panelHeight(layout, layout.rows);
  const marks = [...strip.marks];
  let y = strip.height + 18;
  let numbersHeight = 0;
  kinds.forEach((kind, i) => {
    const column = i % columns;
    const x = margin + column * (panelWidth + gap);
    const lit = litHeads(model, kind, moment.focus);
    const place = { x, y: y + headingHeight, width: panelWidth, wires: layout.wires, row: layout.row };
    const under = { x, y: place.y + body + 14, width: panelWidth, phone };
    const numbers = kindNumbers(model, i, growth, under);
    numbersHeight = Math.max(numbersHeight, numbers.height);
    marks.push(
      ...kindHeading(kind, model.numHeads, growth, { x, y, width: panelWidth, phone }),
      ...panel(model, kind, growth, lit, place),
      ...numbers.marks,
    );
    if (column < columns - 1 && i < kinds.length - 1) return;
    y = under.y + numbersHeight + 22;
    numbersHeight = 0;
  });
  const below = legend({ x: margin, y, width: inner });
  marks.push(...below.marks);
  y += below.height + 20;
  marks.push(...cacheBars(model, growth.tokens, { x: margin, y, width: inner }));
  y += barsHeight(kinds.length);
  const note = timeNote(model, { x: margin, y: y + 14, width: inner });
  marks.push(...note.marks);
  y += 14 + note.height;
  return { width, height: y, marks, description: describe(model, growth) };
}

function describe({ kinds, numHeads, numLayers }: HeadsAndKeysModel, { tokens }: CacheGrowth): string {
  const each = kinds.map(
    ({ name, numKvHeads, bytesPerToken }) =>
      `${name}, ${headsText(numKvHeads)}: ${bytesText(tokens * bytesPerToken)}`,
  );
  const plural = tokens === 1 ? "token" : "tokens";
  return `The KV cache of ${countText(tokens)} ${plural} with ${numHeads} query heads in ${layersText(numLayers)}. ${each.join("; ")}.`;
}

/** Heads that are highlighted for a focused cell: a query head in every panel, a KV head in its own. */
function litHeads({ numHeads, kinds }: HeadsAndKeysModel, kind: HeadsKind, focus: string | undefined): Lit {
  const [id, row, column] = focus?.split(":") ?? [];
  if (!kinds.some((one) => one.id === id)) return undefined;
  const index = Number(column);
  if (row === "0" && index < numHeads)
    return { queries: new Set([index]), kvHeads: new Set([kvHeadIndex(index, numHeads, kind.numKvHeads)]) };
  if (row !== "1" || id !== kind.id) return undefined;
  const queryHeads = Array.from({ length: numHeads }, (_, query) => query);
  const readers = queryHeads.filter((query) => kvHeadIndex(query, numHeads, kind.numKvHeads) === index);
  return { queries: new Set(readers), kvHeads: new Set([index]) };
}

/** The generated words, and the number of words that do not fit. */
function tokenStrip(
  { words }: HeadsAndKeysModel,
  growth: CacheGrowth,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const height = 24;
  const made = growth.tokens + (growth.drop === undefined ? 0 : 1);
  const marks: Mark[] = [];
  let [left, top] = [x, y];
  const fit = (needed: number) => {
    if (left + needed > x + width && left > x) [left, top] = [x, top + height + 6];
  };
  words.forEach((text, i) => {
    const chipWidth = labelWidth([text]) + 14;
    fit(chipWidth);
    const newest = i === made - 1 && made <= words.length;
    marks.push({
      key: `word:${i}`,
      kind: "rect",
      x: left,
      y: top,
      width: chipWidth,
      height,
      radius: 4,
      fill: newest ? "text" : "rule",
      fillOpacity: newest ? 1 : i < made ? 0.6 : 0.2,
      text,
      textFill: newest ? "paper" : i < made ? "text" : "quiet",
      size: 12,
    });
    left += chipWidth + 5;
  });
  const hiddenTokens = growth.tokens - words.length;
  const perRow = growth.tokensPerRow;
  const text =
    hiddenTokens > 0
      ? `+ ${countText(hiddenTokens)} more; 1 row = ${countText(perRow)} tokens`
      : "1 row = 1 token";
  fit(labelWidth([text]) + 6);
  marks.push({ key: "word:more", kind: "text", x: left + 6, y: top + 16, text, fill: "quiet" });
  return { marks, height: top + height - y };
}

/** Legend of the colors. */
function legend({ x, y, width }: { x: number; y: number; width: number }): { marks: Mark[]; height: number } {
  const marks: Mark[] = [];
  let [left, top] = [x, y];
  const fit = (needed: number) => {
    if (left + needed > x + width && left > x) [left, top] = [x, top + 20];
  };
  for (const [color, text, round] of [
    ["query", "query head", true],
    ["key", "keys", false],
    ["value", "values", false],
    ["rule", "size of the MHA cache", false],
  ] as const) {
    const needed = 18 + labelWidth([text]) + 12;
    fit(needed);
    const key = `legend:${color}`;
    marks.push(
      round
        ? { key, kind: "circle", x: left + 6, y: top + 6, radius: 6, fill: color }
        : {
            key,
            kind: "rect",
            x: left,
            y: top,
            width: 12,
            height: 12,
            radius: 2,
            fill: color,
            fillOpacity: color === "rule" ? 0.6 : 1,
          },
      { key: `${key}:text`, kind: "text", x: left + 18, y: top + 10, text, fill: "quiet" },
    );
    left += needed;
  }
  const latent = "latent: keys and values in one";
  fit(18 + labelWidth([latent]) + 12);
  for (const [i, fill] of (["key", "value"] as const).entries())
    marks.push({
      key: `legend:latent:${fill}`,
      kind: "rect",
      x: left,
      y: top + 6 * i,
      width: 12,
      height: 6,
      fill,
    });
  marks.push({
    key: "legend:latent:text",
    kind: "text",
    x: left + 18,
    y: top + 10,
    text: latent,
    fill: "quiet",
  });
  left += 18 + labelWidth([latent]) + 12;
  const text = "Area is proportional to bytes. One layer is drawn.";
  fit(labelWidth([text]));
  marks.push({ key: "legend:area", kind: "text", x: left, y: top + 10, text, fill: "quiet" });
  return { marks, height: top + 14 - y };
}

/** The origin of the times. */
function timeNote(
  { time, numHeads, headDim }: HeadsAndKeysModel,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const text =
    time.kind === "estimate"
      ? `The time is an estimate: bytes of the cache ÷ ${countText(time.bytesPerSecond / 1e9)} GB/s, the memory bandwidth of ${time.machine}. It is not measured.`
      : `Measured on your device just now: attention of one token over ${countText(time.tokens)} cached tokens in one layer, ${numHeads} heads of ${headDim}, float32, ${time.device}.`;
  const lines = wrapText(text, width);
  const marks = lines.map((line, i): Mark => ({
    key: `time:${i}`,
    kind: "text",
    x,
    y: y + 16 * i,
    text: line,
    fill: "quiet",
  }));
  return { marks, height: 16 * lines.length };
}

function controls({ offers }: HeadsAndKeysModel): Control<HeadsAndKeysChoices>[] {
  return [
    { kind: "select", key: "model", label: "Model", options: offers.model },
    { kind: "choice", key: "numHeads", label: "Query heads", options: offers.numHeads },
    { kind: "choice", key: "numKvHeads", label: "KV heads in GQA", options: offers.numKvHeads },
    { kind: "select", key: "time", label: "Time per token", options: offers.time },
  ];
}

function table(model: HeadsAndKeysModel, _: HeadsAndKeysChoices, step: number) {
  const { kinds, lengths, time } = model;
  return {
    columns: [
      "kind",
      "KV heads",
      "bytes per token",
      `bytes at ${countText(lengths[step]!)} tokens`,
      `bytes at ${countText(lengths.at(-1)!)} tokens`,
      "time per token",
    ],
    rows: kinds.map((kind, i) => [
      kind.name,
      kind.numKvHeads,
      kind.bytesPerToken,
      kind.bytes[step]!,
      kind.bytes.at(-1)!,
      kindTime(time, i, kind.bytes[step]!),
    ]),
  };
}

const listText = (parts: readonly string[]) =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
