import { labelWidth } from "../../picture.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import { smallFontSize, type Place } from "./layout.js";
import { shownToken, type GenerationModel } from "./model.js";
import type { Stage } from "./steps.js";

const pitch = 30;

/** Address of a token of a branch. A press goes to its step. */
export const branchCell = (branch: number, token: number): string => `branch:${branch}:${token}`;

/** The branches that the reader opened, one row each, under the token at which they fork. */
export function branchTree(
  model: GenerationModel,
  stage: Stage,
  focus: string | undefined,
  { x, y, width, phone }: Place,
): { marks: Mark[]; height: number } {
  const { branches, prompt } = model;
  const marks: Mark[] = [
    { key: "tree:title", kind: "text", x, y: y + 12, text: "What if?", size: 13, weight: 600 },
  ];
  const hint =
    branches.length > 1
      ? "Press a word to go back to it; every branch is kept. 1 in n: how often the model alone would go on like this."
      : "Press a bar above to take another token: the text forks, and both branches are kept here.";
  const hints = wrapText(hint, width - 70, 12);
  hints.forEach((text, i) =>
    marks.push({ key: `tree:hint:${i}`, kind: "text", x: x + 70, y: y + 12 + 15 * i, text, fill: "quiet" }),
  );
  const top = y + 15 * hints.length + 10;
  const size = phone ? smallFontSize : 12;
  const [pad, gap] = phone ? [4, 2] : [6, 4];
  const chipWidth = (text: string) => (labelWidth([text]) * size) / 12 + 2 * pad;
  const start = beginning(prompt, phone ? 70 : 240);
  const rows = inOrder(model);
  const places = new Map<number, { x: number; row: number }[]>();
  marks.push({ key: "tree:prompt", kind: "text", x, y: top + 15, text: start, size, fill: "quiet" });
  const startX = x + (labelWidth([start]) * size) / 12 + 8;

  rows.forEach((index, row) => {
    const { tokens, parent, forkedAt } = branches[index]!;
    const parentPlaces = places.get(parent);
    const sharedPlaces = parentPlaces ? parentPlaces.slice(0, forkedAt) : [];
    const rowY = top + row * pitch;
    let left = parentPlaces ? (parentPlaces[forkedAt]?.x ?? startX) : startX;
    if (parentPlaces) {
      const above = top + (parentPlaces[forkedAt]?.row ?? 0) * pitch;
      marks.push({
        key: `tree:wire:${index}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${left + 8} ${above + 22}V${rowY + 5}Q${left + 8} ${rowY + 11} ${left + 14} ${rowY + 11}`,
        stroke: index === model.branch ? "text" : "hatch",
        strokeWidth: 1.5,
      });
      left += 16;
    }
    for (let token = sharedPlaces.length; token < tokens.length; token++) {
      const text = shownToken(tokens[token]!);
      const isLastThatFits = left + chipWidth(text) > x + width - (token < tokens.length - 1 ? 16 : 0);
      const drawn = isLastThatFits ? "…" : text;
      sharedPlaces.push({ x: left, row });
      const current = index === model.branch;
      const isNow = current && token === stage.token && stage.draw > 0;
      const isNext = current && token === stage.token && !isNow;
      const cell = branchCell(index, token);
      const shade = () => {
        if (isNow) return 0.9;
        if (focus === cell) return 1;
        return current && token < stage.token ? 0.75 : 0.3;
      };
      marks.push({
        key: `tree:${index}:${token}`,
        kind: "rect",
        x: left,
        y: rowY,
        width: chipWidth(drawn),
        height: 22,
        radius: 4,
        fill: isNow ? "text" : "rule",
        fillOpacity: shade(),
        ...(isNext && { stroke: "quiet", dash: true }),
        text: drawn,
        size,
        textFill: isNow ? "paper" : current ? "text" : "quiet",
        ariaLabel: `branch ${index + 1}, token ${token + 1}: “${text}”`,
        cell,
        layer: 1,
      });
      left += chipWidth(drawn) + gap;
      if (isLastThatFits) break;
    }
    places.set(index, sharedPlaces);
    const odds = oddsText(branches[index]!.probability);
    if (left + labelWidth([odds]) + 8 < x + width)
      marks.push({
        key: `tree:${index}:odds`,
        kind: "text",
        x: left + 8,
        y: rowY + 15,
        text: odds,
        size: smallFontSize,
        fill: "quiet",
        ariaLabel: `branch ${index + 1}, probability by the model: ${branches[index]!.probability.toPrecision(2)}`,
      });
  });
  return { marks, height: top + rows.length * pitch - y };
}

/** A probability as "1 in 40", with two significant digits. */
function oddsText(probability: number): string {
  if (probability >= 0.5) return `${Math.round(100 * probability)} in 100`;
  if (probability < 1e-6) return "less than 1 in a million";
  return `1 in ${Number((1 / probability).toPrecision(2)).toLocaleString("en-US")}`;
}

/** The last words of the prompt that fit into a width. */
function beginning(prompt: readonly string[], width: number): string {
  const words = prompt.join("").trim().split(/\s+/);
  let text = words.pop() ?? "";
  for (let word = words.pop(); word !== undefined; word = words.pop()) {
    if (labelWidth([`… ${word} ${text}`]) > width) return `… ${text}`;
    text = `${word} ${text}`;
  }
  return text;
}

/** Order of the branches from top to bottom: the latest fork is directly under its parent, so that no line crosses a word. */
function inOrder({ branches }: GenerationModel): number[] {
  const below = (parent: number): number[] =>
    branches
      .map((branch, index) => ({ ...branch, index }))
      .filter(({ parent: other, index }) => index > 0 && other === parent)
      .sort((a, b) => b.forkedAt - a.forkedAt || a.index - b.index)
      .flatMap(({ index }) => [index, ...below(index)]);
  return [0, ...below(0)];
}
