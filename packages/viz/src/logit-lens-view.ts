import { checks, ShapeError, type Checks } from "@qkv/core";
import { cellFrame, checkSelectedCell, type SelectedCell } from "./cell-frame.js";
import {
  checkData,
  checkLabels,
  checkList,
  checkObject,
  checkTexts,
  type PictureData,
} from "./check-data.js";
import { fittedLabel } from "./fitted-label.js";
import { mapAxes } from "./map-axes.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { svg } from "./svg.js";
import { visibleToken } from "./visible-token.js";
import { weightLegend } from "./weight-legend.js";

/** Tokens that a model would predict after each layer, as `logitLensTokens` of `@qkv/lens` returns them. */
export type LogitLensTokens = {
  /** Name of each row, L of them: `embeddings`, `layers.0.output`. */
  readonly names: readonly string[];
  /** Tokens of the text, T of them. */
  readonly tokens: readonly string[];
  /** The K most probable tokens at each row and position, the most probable first. */
  readonly topTokens: readonly (readonly (readonly string[])[])[];
  /** `[L, T, K]`: their probabilities. */
  readonly probabilities: PictureData;
  /** The token that the model predicts at each position, after the last layer. Default: unknown. */
  readonly final?: FinalTokens | undefined;
};

/** Final token of each position, with its probability and rank after each layer. */
export type FinalTokens = {
  /** T of them. */
  readonly tokens: readonly string[];
  /** `[L, T]`: their probabilities. */
  readonly probabilities: PictureData;
  /** `[L, T]`: their ranks, from 1 for the most probable. */
  readonly ranks: PictureData;
};

/** Options of {@link logitLensView}. */
export type LogitLensViewOptions = {
  /** The probability that a cell's ink shows: of its most probable token, or of the final one. Default `top`. */
  ink?: "top" | "final";
  /** The position of the first token in the whole text: for a part of it. Default 0. */
  firstPosition?: number;
  /** The cell that was chosen, which gets a frame. Default: none. */
  selected?: SelectedCell | undefined;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const maxCells = 20_000;
const rowHeight = 22; // pixels
/** Opacity of a probability of 1: letters on it keep a contrast of 4.5:1 in both themes. */
const fullInk = 0.45;

/**
 * Draws the logit lens: a row for each layer, a column for each position, and in each cell the token that the model would predict
 * there. Ink is its probability, or with `ink: "final"` the probability of the token that the model predicts in the end. Each
 * cell holds its most probable tokens and the rank of the final one as an SVG `<title>`.
 *
 * @param lens - Tokens and probabilities, as `logitLensTokens` of `@qkv/lens` returns them.
 * @returns SVG text.
 * @throws {ShapeError} If probabilities are not `[L, T, K]`, or there are more than 20,000 cells.
 * @throws {ArgumentError} If a probability is not from 0 to 1, tokens or names are too few or too many, or `selected` is no cell.
 * @see nostalgebraist, "interpreting GPT: the logit lens" (2020)
 *
 * @example
 * ```ts
 * import { logitLensView } from "@qkv/viz";
 *
 * const lens = {
 *   names: ["layers.0.output"],
 *   tokens: ["The", " cat"],
 *   topTokens: [[[" cat", " dog"], [" sat", " ran"]]],
 *   probabilities: { data: [0.5, 0.25, 0.75, 0.125], shape: [1, 2, 2] },
 * };
 * const svg = logitLensView(lens);
 * svg.includes("layers.0.output, position 1 “ cat”: “ sat” 0.75, “ ran” 0.125"); // => true
 * ```
 */
export function logitLensView(lens: LogitLensTokens, options: LogitLensViewOptions = {}): string {
  const check = checks("logitLensView");
  const {
    ink = "top",
    firstPosition = 0,
    selected,
    title,
  } = check.options(options, ["ink", "firstPosition", "selected", "title"]);
  check.oneOf({ ink }, ["top", "final"]);
  check.whole({ firstPosition }, { min: 0, fix: "count tokens from 0." });
  checkTexts(check, { title });
  checkLens(check, lens);
  const { names, tokens, topTokens, final } = lens;
  if (ink === "final" && final === undefined) {
    const expected = "final tokens, as `ink` is final";
    check.refuse({
      argument: "lens.final",
      received: final,
      expected,
      fix: "give them, or leave `ink` out.",
    });
  }
  const [L, T, K] = lens.probabilities.shape as [number, number, number];
  checkSelectedCell(check, selected, [L, T]);
  const probabilities = lens.probabilities.data;
  const finalProbabilities = final?.probabilities.data;
  const ranks = final?.ranks.data;

  const shown = topTokens.flatMap((row) => row.map((top) => visibleToken(top[0]!)));
  const columnLabels = tokens.map(visibleToken);
  const widest = labelWidth([...shown, ...columnLabels]);
  const cell = { width: Math.max(34, Math.min(96, widest + 10)), height: rowHeight };
  const labels = columnLabels.map((label) => fittedLabel(label, cell.width - 6));
  const axes = mapAxes(names, labels, cell, {
    row: { name: "← layer", color: "text" },
    column: { name: "position →", color: "text" },
  });
  const [left, top] = [12 + axes.left, (title ? 34 : 12) + axes.above];
  const cellName = (l: number, t: number) => `${names[l]!}, position ${firstPosition + t} “${tokens[t]!}”`;
  const cells = shown.map((token, i) => {
    const [l, t] = [Math.floor(i / T), i % T];
    const [x, y] = [left + t * cell.width, top + l * cell.height];
    const drawn = ink === "final" ? finalProbabilities![i]! : probabilities[i * K]!;
    const likely = topTokens[l]![t]!.map((text, k) => `“${text}” ${numberText(probabilities[i * K + k]!)}`);
    const end = final
      ? `; final “${final.tokens[t]!}” ${numberText(finalProbabilities![i]!)}, rank ${numberText(ranks![i]!)}`
      : "";
    const at = svg`x="${px(x)}" y="${px(y)}" width="${px(cell.width)}" height="${px(cell.height)}"`;
    return svg`<rect data-qkv-cell="${l},${t}" ${at} fill-opacity="${(fullInk * drawn).toFixed(3)}"><title>${cellName(l, t)}: ${likely.join(", ")}${end}</title></rect>`;
  });
  const texts = shown.map((token, i) => {
    const [l, t] = [Math.floor(i / T), i % T];
    const [x, y] = [left + (t + 0.5) * cell.width, top + (l + 0.5) * cell.height + 4];
    const isFinal = final && topTokens[l]![t]![0] === final.tokens[t];
    return svg`<text x="${px(x)}" y="${px(y)}" text-anchor="middle" pointer-events="none"${isFinal ? svg` font-weight="700"` : ""}>${fittedLabel(token, cell.width - 6)}</text>`;
  });
  const [width, height] = [T * cell.width, L * cell.height];
  const frame = selected && [
    cellFrame(left + selected.column * cell.width, top + selected.row * cell.height, cell.width, cell.height),
  ];
  return picture({
    width: Math.max(left + width + 12, left + 200, titleWidth(title)),
    height: top + height + 40,
    title: title ?? "Logit lens",
    description:
      `The most probable next token at ${L} ${L === 1 ? "layer" : "layers"} (rows) and ${T} ${T === 1 ? "position" : "positions"} (columns). ` +
      (final ? "Where it is the final one, it is bold. " : "") +
      `Ink is the probability of the ${ink === "top" ? "token that is drawn" : "final token"}.` +
      (selected ? ` ${cellName(selected.row, selected.column)} is selected.` : ""),
    body: [
      ...heading(title),
      axes.draw(left, top),
      svg`<g ${fill("weight")}>${cells}</g>`,
      svg`<g ${fill("text")}>${texts}</g>`,
      svg`<rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" fill="none" pointer-events="none" ${stroke("rule")}/>`,
      ...(frame ?? []),
      weightLegend(left, top + height + 16, { max: 1, min: undefined, masked: false, ink: fullInk }),
    ],
  });
}

function checkLens(check: Checks, lens: LogitLensTokens): void {
  checkObject(check, { lens }, "an object { names, tokens, topTokens, probabilities }");
  // `logitLensTokens` may return more fields, which are ignored.
  const { names, tokens, topTokens, probabilities, final } = lens;
  const fix = "give what `logitLensTokens` of @qkv/lens returned, or probabilities of your own.";
  checkProbabilities(check, "lens.probabilities", probabilities, [3], "[L, T, K], each 1 or more", fix);
  const [L, T, K] = probabilities.shape as [number, number, number];
  if (L * T > maxCells) {
    const [expected, fix] = [`${maxCells} cells or fewer`, "draw a range of the positions."];
    check.refuse(
      { argument: "lens.probabilities", received: probabilities.shape, expected, fix },
      ShapeError,
    );
  }
  for (const [argument, list, count] of [
    ["lens.names", names, L],
    ["lens.tokens", tokens, T],
  ] as const) {
    checkList(check, argument, list, "a list of texts");
    checkLabels(check, { [argument]: list }, count);
  }
  checkList(check, "lens.topTokens", topTokens, "a list for each row");
  check.each({ "lens.topTokens": topTokens.length }, (length) => length === L, `${L} rows`);
  topTokens.forEach((row: unknown, l) => {
    const argument = `lens.topTokens[${l}]`;
    checkList(check, argument, row, "a list for each position");
    check.each({ [argument]: row.length }, (length) => length === T, `${T} positions`);
    row.forEach((top, t) => {
      checkList(check, `${argument}[${t}]`, top, "a list of texts");
      checkLabels(check, { [`${argument}[${t}]`]: top }, K);
    });
  });
  if (final === undefined) return;
  checkObject(check, { "lens.final": final }, "an object { tokens, probabilities, ranks }");
  checkList(check, "lens.final.tokens", final.tokens, "a list of texts");
  checkLabels(check, { "lens.final.tokens": final.tokens }, T);
  checkProbabilities(check, "lens.final.probabilities", final.probabilities, [2], "[L, T]", fix);
  checkData(check, final.ranks, { argument: "lens.final.ranks", ranks: [2], expected: "[L, T]", fix });
  for (const [argument, { shape }] of Object.entries({
    "lens.final.probabilities": final.probabilities,
    "lens.final.ranks": final.ranks,
  })) {
    if (shape[0] === L && shape[1] === T) continue;
    check.refuse({ argument, received: shape, expected: `[${L}, ${T}]`, fix }, ShapeError);
  }
}

/** Tolerance for the sum of probabilities: rounding errors of a softmax in float16. */
const slack = 1e-2;

function checkProbabilities(
  check: Checks,
  argument: string,
  input: PictureData,
  ranks: readonly number[],
  expected: string,
  fix: string,
): void {
  checkData(check, input, { argument, ranks, expected, fix });
  const isProbability = (x: unknown) => (x as number) >= 0 && (x as number) <= 1 + slack;
  const { data } = input;
  for (let i = 0; i < data.length; i++)
    if (!isProbability(data[i]))
      check.each(
        { [`${argument}[${i}]`]: data[i] },
        () => false,
        "a probability from 0 to 1",
        "give the softmax of logits.",
      );
}
