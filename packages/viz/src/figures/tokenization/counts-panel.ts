import { countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { TokenizationModel } from "./model.js";

type Place = { x: number; y: number; width: number };
type Panel = { marks: Mark[]; bottom: number };

/** Progress of the panel: number of applied merges, and progress of the bars of languages, from 0 to 1. */
type CountsProgress = { merges: number; encoded: number };

/** Panel below the text: number of tokens after each merge, and tokens of one sentence in several languages. */
export function countsPanel(
  model: TokenizationModel,
  { merges, encoded }: CountsProgress,
  { width, y }: { width: number; y: number },
): Panel {
  const phone = width < 640;
  const margin = phone ? 4 : 8;
  const column = phone ? width - 2 * margin : (width - 2 * margin - 56) / 2;
  const line = tokensLine(model, merges, { x: margin, y, width: column });
  const beside = phone ? { x: margin, y: line.bottom + 28 } : { x: margin + column + 56, y };
  const bars = languageBars(model, encoded, { ...beside, width: column });
  return { marks: [...line.marks, ...bars.marks], bottom: Math.max(line.bottom, bars.bottom) + 6 };
}

const heading = (key: string, text: string, { x, y }: Place): Mark => ({
  key,
  kind: "text",
  x,
  y: y + 12,
  text,
  size: 13,
  weight: 600,
});

/** A note, broken into lines of a width. */
export function noteLines(key: string, text: string, { x, y, width }: Place): Panel {
  const lines = wrapText(text, width);
  const marks = lines.map((line, i): Mark => ({
    key: `${key}:${i}`,
    kind: "text",
    x,
    y: y + 12 + 17 * i,
    text: line,
    fill: "quiet",
  }));
  return { marks, bottom: y + 17 * lines.length };
}

/** Bytes per token with one decimal, preceded by ≈ if it is rounded. */
export function bytesEach(bytes: number, count: number): string {
  const each = count === 0 ? 0 : bytes / count;
  const exact = Number.isInteger(each * 10);
  return `${exact ? "" : "≈ "}${each.toFixed(Number.isInteger(each) ? 0 : 1)} ${each === 1 ? "byte" : "bytes"} each`;
}

/** Number of tokens of the text after each merge, as a step line. */
function tokensLine(model: TokenizationModel, merges: number, place: Place): Panel {
  const { bytes, merges: all } = model;
  const counts = [bytes.length, ...all.map(({ tokens }) => tokens)];
  const title = heading("counts:title", "Tokens left after each merge", place);
  const square = (n: number) => `${countText(n)}² = ${countText(n * n)}`;
  const last = counts.at(-1)!;
  if (all.length === 0) {
    const text =
      bytes.length === 0
        ? "Type a text."
        : `This vocabulary has no merge for the text: it stays ${countText(bytes.length)} tokens of one byte, and one attention head computes ${square(bytes.length)} scores.`;
    const note = noteLines("counts:none", text, { ...place, y: place.y + 26 });
    return { marks: [title, ...note.marks], bottom: note.bottom };
  }
  const [left, right] = [place.x + 34, place.x + place.width - 40];
  const [top, height] = [place.y + 40, 84];
  const x = (merge: number) => left + (merge / all.length) * (right - left);
  const y = (tokens: number) => top + (1 - tokens / bytes.length) * height;
  const applied = Math.floor(merges);
  const path = (to: number) =>
    counts
      .slice(1, to + 1)
      .reduce((d, tokens, i) => `${d}H${px(x(i + 1))}V${px(y(tokens))}`, `M${px(x(0))} ${px(y(counts[0]!))}`);
  const now = counts[applied]!;
  const label = (key: string, x: number, y: number, text: string, rest: Partial<Mark> = {}): Mark => ({
    key: `counts:${key}`,
    kind: "text",
    x,
    y,
    text,
    fill: "quiet",
    ...rest,
  });
  const line = (key: string, d: string, rest: Partial<Mark>): Mark => ({
    key: `counts:${key}`,
    kind: "path",
    x: 0,
    y: 0,
    d,
    ...rest,
  });
  const scores = noteLines(
    "counts:scores",
    `Scores of one attention head: ${square(bytes.length)} for bytes, ${square(last)} for tokens.`,
    { ...place, y: top + height + 26 },
  );
  const marks: Mark[] = [
    title,
    line("axis", `M${left} ${top - 4}V${top + height}H${right}`, { stroke: "rule" }),
    line("all", path(all.length), { stroke: "hatch", dash: true }),
    line("done", path(applied), { stroke: "weight", strokeWidth: 2.5 }),
    {
      key: "counts:now",
      kind: "circle",
      x: x(applied),
      y: y(now),
      radius: 5,
      fill: "weight",
      ariaLabel: `tokens after ${applied} merges: ${now}`,
      cell: "counts:0:0",
    },
    label("first", left - 6, y(counts[0]!) + 4, countText(counts[0]!), { anchor: "end" }),
    label("zero", left - 6, top + height + 4, "0", { anchor: "end" }),
    label("from", left, top + height + 16, "0 merges", { size: 11 }),
    label("to", right, top + height + 16, countText(all.length), { anchor: "end", size: 11 }),
    label("label", x(applied) + 9, y(now) - 6, applied === all.length ? `${now}` : `${now} tokens`, {
      weight: 700,
      size: 14,
      fill: "weight-text",
      layer: 2,
    }),
    ...scores.marks,
  ];
  return { marks, bottom: scores.bottom };
}

/** Rounds pixels to two decimals, for short path data. */
const px = (value: number) => Number(value.toFixed(2));

/** One sentence in several languages: its bytes as an outline, its tokens filled. */
function languageBars({ languages, vocabulary }: TokenizationModel, encoded: number, place: Place): Panel {
  const row = 28;
  const max = Math.max(1, ...languages.map(({ bytes }) => bytes));
  const [left, right] = [place.x + 66, place.x + place.width - 150];
  const scale = (count: number) => (count / max) * (right - left);
  const top = place.y + 26;
  const isEncoded = encoded > 0;
  const title = `One sentence in four languages: its ${isEncoded ? "tokens" : "bytes"}`;
  const marks: Mark[] = [heading("languages:title", title, place)];
  languages.forEach(({ name, text, bytes, tokens, trained }, i) => {
    const y = top + i * row;
    const now = Math.round(bytes + encoded * (tokens - bytes));
    marks.push(
      {
        key: `languages:${name}`,
        kind: "text",
        x: place.x,
        y: y + 16,
        text: name,
        weight: trained ? 700 : 400,
      },
      {
        key: `languages:${name}:bytes`,
        kind: "rect",
        x: left,
        y: y + 3,
        width: scale(bytes),
        height: 18,
        radius: 2,
        stroke: "hatch",
        dash: true,
        ariaLabel: `“${text}”, bytes: ${bytes}`,
        cell: `language:${i}:0`,
      },
      { key: `languages:${name}:count`, kind: "text", x: right + 8, y: y + 16, text: `${now}`, weight: 700 },
    );
    if (!isEncoded) return;
    marks.push(
      {
        key: `languages:${name}:tokens`,
        kind: "rect",
        x: left,
        y: y + 3,
        width: scale(bytes + encoded * (tokens - bytes)),
        height: 18,
        radius: 2,
        fill: "weight",
        fillOpacity: trained ? 0.75 : 0.35,
        ariaLabel: `“${text}”, ${bytes} bytes, tokens: ${tokens}`,
        cell: `language:${i}:1`,
      },
      {
        key: `languages:${name}:each`,
        kind: "text",
        x: place.x + place.width,
        y: y + 16,
        text: bytesEach(bytes, tokens),
        anchor: "end",
        fill: "quiet",
        opacity: encoded,
      },
    );
  });
  const bold = languages.some(({ trained }) => trained) ? " Bold: trained on." : "";
  const note = noteLines(
    "languages:note",
    isEncoded
      ? `Dashed: bytes.${bold} The vocabulary has ${countText(vocabulary.size)} tokens.`
      : "Press a bar to read its sentence above.",
    { ...place, y: top + languages.length * row + 2 },
  );
  return { marks: [...marks, ...note.marks], bottom: note.bottom };
}
