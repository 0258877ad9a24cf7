import { easeCubicInOut } from "d3-ease";
import { labelWidth } from "../../picture.js";
import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import { fitText, gutterWidth, smallFontSize, type Place } from "./layout.js";
import { headName, shownToken, headWeights, type GenerationChoices, type GenerationModel } from "./model.js";
import type { Stage } from "./steps.js";
import { progressWithin } from "../progress-within.js";
import { weightTexts } from "../percents.js";

/** Rectangle of a token's word. Unit: pixels. */
export type Slot = { x: number; y: number; width: number; height: number };
type Column = Slot & { text: string; row: number };

/**
 * The text, one column for each token: above the word the attention weight of the last token, below it the keys and values
 * in the cache, layer by layer.
 *
 * @returns Marks, their height, and the slot of the next token.
 */
export function columns(
  model: GenerationModel,
  choices: GenerationChoices,
  stage: Stage,
  focus: string | undefined,
  place: Place,
): { marks: Mark[]; height: number; slot: Slot } {
  const { prompt, generated, numLayers, numHeads, bytesPerToken } = model;
  const { phone, x, y } = place;
  const now = generated[stage.token]!;
  const before = generated[stage.token - 1];
  const text = [...prompt, ...generated.slice(0, stage.token).map((one) => one.text)];
  const T = text.length;
  const samePass = before !== undefined && before.pass === now.pass;
  // Progress of the forward pass: the weights and the cache appear. Later tokens of one pass have been read with it.
  const readProgress = samePass ? 1 : easeCubicInOut(stage.read);
  // Progress of the drawn token's word on its way into its slot.
  const landed = progressWithin(stage.draw, 0.6, 0.95);
  const draft = now.draft;
  const shownTokens = [...text, draft[0] ?? now.text, ...draft.slice(1)];

  // Heights of a weight's bar and of a layer's row in the cache, and of the box of a word.
  const [bar, pitch] = phone ? [34, 11] : [60, 13];
  const chip = 26;
  const [chipY, cacheY] = [16 + bar + 4, 16 + bar + 4 + chip + 6];
  const lineHeight = cacheY + numLayers * pitch + 14;
  const gutter = gutterWidth(place);
  const list = arrange(shownTokens, leastWidth(model, place.width - gutter, phone), {
    x: x + gutter,
    y,
    width: place.width - gutter,
    phone,
    lineHeight,
  });
  const lineCount = list.at(-1)!.row + 1;
  const marks: Mark[] = [];

  const chosenLayer = choices.head < 0 ? undefined : Math.floor(choices.head / numHeads);
  for (let row = 0; row < lineCount; row++) {
    const top = y + row * lineHeight;
    const name = (key: string, at: number, text: string, more: Partial<Mark> = {}) =>
      marks.push({
        key: `row:${key}:${row}`,
        kind: "text",
        x,
        y: top + at,
        text,
        size: smallFontSize,
        fill: "quiet",
        ...more,
      });
    name("of", chipY - 20, "attention of");
    name("weights", chipY - 6, fitText(quoted(text.at(-1)!), gutter - 6, smallFontSize), {
      fill: "query-text",
      weight: 600,
    });
    name("text", chipY + 17, "text");
    for (let layer = 0; layer < numLayers; layer++)
      name(
        `layer-${layer}`,
        cacheY + layer * pitch + pitch - 3,
        phone ? `KV layer ${layer}` : `KV, layer ${layer}`,
        layer === chosenLayer ? { fill: "text", weight: 600 } : {},
      );
  }

  const weights = headWeights(now, choices.head);
  const printed = weightTexts(weights);
  list.forEach((column, j) => {
    const top = y + column.row * lineHeight;
    const isNew = j >= T;
    const word = shownToken(column.text);
    const lit = focus?.endsWith(`:${j}`) && /^(weight|word|cache):/.test(focus);
    if (!isNew) {
      const weight = weights[j]!;
      const evicted = now.cache[j] === "evicted";
      const height = Math.max(weight > 0 ? 1 : 0, weight * bar) * readProgress;
      const barWidth = Math.min(44, column.width - 8);
      marks.push({
        key: `weight:${j}`,
        kind: "rect",
        x: column.x + (column.width - barWidth) / 2,
        y: top + chipY - 4 - height,
        width: barWidth,
        height,
        radius: 2,
        fill: "weight",
        fillOpacity: 0.85,
        ariaLabel: evicted
          ? `weight of “${word}”: evicted from the cache, not seen`
          : `weight of “${word}” for “${shownToken(text.at(-1)!)}”, ${headName(model, choices.head)}: ${weight.toFixed(3)}`,
        cell: `weight:0:${j}`,
      });
      marks.push({
        key: `weight:${j}:text`,
        kind: "text",
        x: column.x + column.width / 2,
        y: top + chipY - 8 - height,
        anchor: "middle",
        size: smallFontSize,
        text: evicted ? "–" : printed[j]!,
        fill: weight < 0.05 ? "quiet" : "text",
        weight: weight >= 0.3 ? 600 : 400,
        opacity: progressWithin(readProgress, 0.5, 1),
      });
    }
    const inDraft = isNew && j < T + draft.length;
    const accepted = draft[0] === now.text;
    if (isNew && !(j === T && landed >= 1)) {
      // The word of the next token moves here; until then the slot is empty, or holds a draft token.
      marks.push({
        key: `slot:${j}`,
        kind: "rect",
        x: column.x,
        y: top + chipY,
        width: column.width,
        height: chip,
        radius: 4,
        stroke: "quiet",
        dash: true,
        text: inDraft ? word : landed > 0 ? "" : "?",
        textFill: "quiet",
        opacity: inDraft && !accepted ? 1 - landed : 1,
        ...(inDraft && { ariaLabel: `draft token “${word}”, to be verified`, cell: `word:0:${j}` }),
        layer: 1,
      });
    } else {
      marks.push({
        key: `word:${j}`,
        kind: "rect",
        x: column.x,
        y: top + chipY,
        width: column.width,
        height: chip,
        radius: 4,
        fill: j < prompt.length ? "rule" : "text",
        fillOpacity: j < prompt.length ? 0.55 : isNew ? 0.9 : 0.16,
        text: word,
        textFill: isNew ? "paper" : "text",
        stroke: j === T - 1 ? "query" : lit ? "text" : undefined,
        strokeWidth: 2,
        ariaLabel: `token ${j + 1}, ${j < prompt.length ? "prompt" : "generated"}: “${word}”`,
        cell: `word:0:${j}`,
        layer: 1,
      });
    }
    marks.push(...cached(j, column, top));
  });

  /** Cached keys and values of a token, a row for each layer. */
  function cached(j: number, column: Column, top: number): Mark[] {
    const inDraft = j >= T && j < T + draft.length;
    const accepted = draft[0] === now.text;
    // Columns of draft tokens appear with their forward pass; those of rejected tokens disappear.
    const drafted = !inDraft ? 0 : accepted ? readProgress : readProgress * (1 - landed);
    const cacheOpacity = j >= T ? drafted : stage.token === 0 || j === T - 1 ? readProgress : 1;
    const form = now.cache[j] ?? "float32";
    const half = (column.width - 1) / 2;
    const wasEvicted = before?.cache[j] === "evicted";
    const evictedPart = form === "evicted" ? (wasEvicted ? 1 : readProgress) : 0;
    return Array.from({ length: numLayers }, (_, layer) => {
      const faint = chosenLayer !== undefined && chosenLayer !== layer ? 0.4 : 1;
      const boxY = top + cacheY + layer * pitch;
      const height = pitch - 2;
      const share = form === "int8" ? int8Share(model) : 1;
      const box = { kind: "rect", y: boxY, height, radius: 1.5 } as const;
      const ariaLabel = `layer ${layer}, key and value of “${shownToken(column.text)}”: ${
        cacheOpacity === 0
          ? "not computed yet"
          : form === "evicted"
            ? "evicted"
            : `${form === "int8" ? "int8" : "float32"}, ${countText((bytesPerToken * share) / numLayers)} B`
      }`;
      const side = (name: "key" | "value", at: number): Mark => ({
        ...box,
        key: `cache:${layer}:${j}:${name}`,
        x: at,
        y: boxY + height * (1 - share),
        height: height * share,
        width: half,
        fill: name,
        opacity: cacheOpacity * (1 - evictedPart) * faint * (inDraft ? 0.6 : 1),
        ...(name === "key" && { ariaLabel, cell: `cache:${layer}:${j}` }),
      });
      return [
        {
          ...box,
          key: `cache:${layer}:${j}:box`,
          x: column.x,
          width: column.width,
          stroke: "rule",
          ...(evictedPart > 0 && { hatch: evictedPart }),
          opacity: cacheOpacity > 0 && evictedPart === 0 && share === 1 ? 0 : 1,
        } as Mark,
        side("key", column.x),
        side("value", column.x + half + 1),
      ];
    }).flat();
  }

  const note = wrapText(cacheNote(model, stage), place.width - gutter);
  const noteY = y + lineCount * lineHeight + 2;
  note.forEach((line, i) =>
    marks.push({
      key: `note:${i}`,
      kind: "text",
      x: x + gutter,
      y: noteY + 15 * i,
      text: line,
      fill: "quiet",
      size: 12,
    }),
  );
  const next = list[T]!;
  return {
    marks,
    height: noteY - y + 15 * note.length,
    slot: { x: next.x, y: y + next.row * lineHeight + chipY, width: next.width, height: chip },
  };
}

const quoted = (token: string) => `“${shownToken(token)}”`;

const columnGap = (phone: boolean) => (phone ? 4 : 7);
const columnWidth = (text: string, minWidth: number) =>
  Math.max(minWidth, labelWidth([shownToken(text)]) + 14);

/**
 * Minimum width of a column: the largest with which the whole text fits into one line, so that columns stay in place. Unit:
 * pixels.
 */
function leastWidth({ prompt, generated }: GenerationModel, width: number, phone: boolean): number {
  const texts = generated.map(({ text, draft }, token) => [
    ...prompt,
    ...generated.slice(0, token).map((one) => one.text),
    ...(draft.length > 0 ? draft : [text]),
  ]);
  texts.push([...prompt, ...generated.map(({ text }) => text)]);
  const fits = (minWidth: number) =>
    texts.every(
      (list) =>
        list.reduce((sum, text) => sum + columnWidth(text, minWidth) + columnGap(phone), -columnGap(phone)) <=
        width,
    );
  const [smallest, largest] = [phone ? 36 : 48, 100];
  let minWidth = largest;
  while (minWidth > smallest && !fits(minWidth)) minWidth -= 2;
  return minWidth;
}

/** Places columns side by side, in as many lines as they need. */
function arrange(
  texts: readonly string[],
  minWidth: number,
  { x, y, width, phone, lineHeight }: Place & { lineHeight: number },
): Column[] {
  let [left, row] = [x, 0];
  return texts.map((text) => {
    const textWidth = columnWidth(text, minWidth);
    if (left + textWidth > x + width && left > x) [left, row] = [x, row + 1];
    const column = { x: left, y: y + row * lineHeight, width: textWidth, height: 0, text, row };
    left += textWidth + columnGap(phone);
    return column;
  });
}

/** Bytes of a quantized token as a fraction of its bytes in float32. */
function int8Share({ generated, bytesPerToken }: GenerationModel): number {
  const last = generated.findLast(({ cache }) => cache.includes("int8"));
  if (!last) return 1;
  const floats = last.cache.filter((as) => as === "float32").length;
  const codes = last.cache.length - floats;
  return (last.cacheBytes - floats * bytesPerToken) / (codes * bytesPerToken);
}

/** The cache in a sentence: tokens and bytes. */
function cacheNote(model: GenerationModel, { token, read }: Stage): string {
  const { generated, bytesPerToken, cache } = model;
  const { cache: states, cacheBytes } = generated[read >= 1 || token === 0 ? token : token - 1]!;
  const total = states.length;
  const keptCount = states.filter((as) => as !== "evicted").length;
  const whole = `${countText(total)} ${total === 1 ? "token" : "tokens"} × ${countText(bytesPerToken)} B = ${countText(total * bytesPerToken)} B`;
  if (token === 0 && read < 1)
    return "KV cache: the first pass writes the key (left half) and the value (right half) of every token.";
  const { draft } = generated[token]!;
  const more =
    draft.length > 0 && read >= 1
      ? `, and ${draft.length} draft ${draft.length === 1 ? "token" : "tokens"}`
      : "";
  const passes = generated.at(-1)!.pass + 1;
  const saved =
    model.draft === "none"
      ? ""
      : ` Pass ${generated[token]!.pass + 1} of ${passes} for ${generated.length} tokens.`;
  const legend = `Left half key, right half value.${saved}`;
  if (cache === "rolling" && keptCount < total)
    return `KV cache: ${keptCount} of ${total} tokens are kept, the first and the last ${keptCount - 1}: ${countText(cacheBytes)} B instead of ${countText(total * bytesPerToken)} B. ${legend}`;
  if (cache === "quantized" && states.includes("int8"))
    return `KV cache: old tokens as int8, ${countText(cacheBytes)} B instead of ${countText(total * bytesPerToken)} B. ${legend}`;
  return `KV cache: ${whole} (${bytesText(total * bytesPerToken)})${more}. ${legend}`;
}
