import { checks, ShapeError, type Checks } from "@qkv/core";
import { cellFrame, checkSelectedCell, type SelectedCell } from "./cell-frame.js";
import {
  checkData,
  checkLabels,
  checkList,
  checkObject,
  checkSizes,
  checkTexts,
  type PictureData,
} from "./check-data.js";
import { hatch } from "./hatch.js";
import { mapAxes } from "./map-axes.js";
import { minusPath } from "./map-cells.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";
import { visibleToken } from "./visible-token.js";

/** A metric of patched runs, as `activationPatching` and `attributionPatching` of `@qkv/lens` return it. */
export type PatchedMetric = {
  /** Tensor of each row. */
  readonly names: readonly string[];
  /** `[rows, columns]`: the metric with each patch. NaN (in JSON null) without a patch. */
  readonly values: PictureData;
  /** The metric of the run that is patched. With `source`, cells show the fraction of the difference that a patch restores. */
  readonly unpatched?: number | undefined;
  /** The metric of the run that patches come from. */
  readonly source?: number | undefined;
};

/** Options of {@link patchingView}. */
export type PatchingViewOptions = {
  /** One label for each column: the tokens of the text. */
  columnLabels?: readonly string[];
  /** Content of a column. Default `position`. */
  columnName?: "position" | "head";
  /** The effect drawn in full ink. Default: the largest magnitude of the picture. */
  max?: number;
  /** The cell that was chosen, which gets a frame. Default: none. */
  selected?: SelectedCell | undefined;
  /** Cells with exact values, marked with a dot if the others are estimates. Default: none. */
  exact?: readonly SelectedCell[];
  /** Name of the metric in tooltips. Default `metric`. */
  metricName?: string;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const maxCells = 20_000;
const rowHeight = 20; // pixels

/**
 * Draws the effect of patches as a heat map: a row for each tensor, a column for each position or head. Ink is the effect, in
 * purple above 0 and in orange with a minus below.
 *
 * With `unpatched` and `source`, an effect is `(value - unpatched) / (source - unpatched)`: 1 if a patch restores the metric of the
 * source, 0 if it changes nothing, negative if it moves the metric away. With `unpatched` alone it is the change of the metric;
 * without both, the value itself.
 *
 * @param patched - The metric of each patch, as `activationPatching` and `attributionPatching` of `@qkv/lens` return it.
 * @returns SVG text.
 * @throws {ShapeError} If values are not `[rows, columns]`, or there are more than 20,000.
 * @throws {ArgumentError} If names or labels are too few or too many, a number is infinite, or `selected` is no cell.
 * @see "Locating and Editing Factual Associations in GPT" (2022), arXiv:2202.05262
 *
 * @example
 * ```ts
 * import { patchingView } from "@qkv/viz";
 *
 * const patched = {
 *   names: ["layers.0.output", "layers.1.output"],
 *   values: { data: [2, 1, 1, 3], shape: [2, 2] },
 *   unpatched: 1,
 *   source: 3,
 * };
 * const svg = patchingView(patched, { columnLabels: ["The", "cat"] });
 * svg.includes("layers.1.output, position 1 “cat”: 1, metric 3"); // => true
 * ```
 */
export function patchingView(patched: PatchedMetric, options: PatchingViewOptions = {}): string {
  const check = checks("patchingView");
  const known = ["columnLabels", "columnName", "max", "selected", "exact", "metricName", "title"] as const;
  const given = check.options(options, known);
  const { columnLabels, columnName = "position", selected, exact = [], metricName = "metric", title } = given;
  const { names, effects, metrics, isShare } = checkEffects(check, patched);
  const [R, C] = [names.length, effects.length / names.length];
  checkLabels(check, { columnLabels }, C);
  check.oneOf({ columnName }, ["position", "head"]);
  checkSizes(check, { max: given.max });
  checkTexts(check, { title, metricName });
  checkSelectedCell(check, selected, [R, C]);
  checkList(check, "exact", exact, "a list of cells { row, column }");
  for (const [i, cell] of exact.entries()) checkSelectedCell(check, cell, [R, C], `exact[${i}]`);
  const isExact = new Set(exact.map(({ row, column }) => row * C + column));

  const drawn = effects.filter((effect) => effect !== undefined);
  const max = given.max ?? (drawn.reduce((largest, effect) => Math.max(largest, Math.abs(effect)), 0) || 1);
  const cell = { width: Math.max(6, Math.min(44, Math.floor(560 / C))), height: rowHeight };
  const axes = mapAxes(names, columnLabels?.map(visibleToken) ?? C, cell, {
    row: { name: "← tensor", color: "text" },
    column: { name: `${columnName} →`, color: "text" },
  });
  const [left, top] = [12 + axes.left, (title ? 34 : 12) + axes.above];
  const place = (i: number) => [left + (i % C) * cell.width, top + Math.floor(i / C) * cell.height] as const;
  const cellName = (i: number) => {
    const label = columnLabels?.[i % C];
    return `${names[Math.floor(i / C)]!}, ${columnName} ${i % C}${label === undefined ? "" : ` “${label}”`}`;
  };

  const hatches: string[] = [];
  // On a dark cell, a minus is drawn in the background color.
  const minuses: Record<"text" | "paper", string[]> = { text: [], paper: [] };
  const dots: Svg[] = [];
  const cells = effects.map((effect, i) => {
    const [x, y] = place(i);
    const at = svg`data-qkv-cell="${Math.floor(i / C)},${i % C}" x="${px(x)}" y="${px(y)}" width="${px(cell.width)}" height="${px(cell.height)}"`;
    if (effect === undefined) {
      hatches.push(hatch(x, y, cell.width, cell.height));
      return svg`<rect ${at} fill="none" pointer-events="all"><title>${cellName(i)}: none</title></rect>`;
    }
    const ink = Math.min(1, Math.abs(effect) / max);
    if (effect < 0 && ink >= 0.05) {
      const path = minusPath(x + (cell.width - cell.height) / 2, y, cell.height);
      minuses[ink > 0.6 ? "paper" : "text"].push(path);
    }
    if (isExact.has(i)) {
      const at = svg`cx="${px(x + cell.width - 4)}" cy="${px(y + 4)}" r="2"`;
      dots.push(svg`<circle ${at} pointer-events="none" ${fill(ink > 0.6 ? "paper" : "text")}/>`);
    }
    const metric = isShare ? `, ${metricName} ${numberText(metrics[i]!)}` : "";
    const tooltip = `${cellName(i)}: ${numberText(effect)}${metric}${isExact.has(i) ? ", exact" : ""}`;
    return svg`<rect ${at} ${fill(effect < 0 ? "negative" : "weight")} fill-opacity="${ink.toFixed(3)}"><title>${tooltip}</title></rect>`;
  });
  const [width, height] = [C * cell.width, R * cell.height];
  const frame = selected && [
    cellFrame(...place(selected.row * C + selected.column), cell.width, cell.height),
  ];
  const best = effects.reduce<number | undefined>((best, effect, i) => {
    if (effect === undefined) return best;
    return best === undefined || Math.abs(effect) > Math.abs(effects[best]!) ? i : best;
  }, undefined);
  const unit = isShare
    ? `An effect of 1 is the ${metricName} of the source, 0 that of the unpatched run.`
    : `Cells show the ${metricName}.`;
  return picture({
    width: Math.max(left + width + 12, left + 260, titleWidth(title)),
    height: top + height + 40,
    title: title ?? "Effects of patches",
    description:
      `A heat map of ${R} ${R === 1 ? "tensor" : "tensors"} (rows) by ${C} ${C === 1 ? columnName : `${columnName}s`} (columns). ${unit}` +
      (best === undefined
        ? ""
        : ` The largest effect is ${numberText(effects[best]!)}, of ${cellName(best)}.`) +
      (selected ? ` ${cellName(selected.row * C + selected.column)} is selected.` : "") +
      (exact.length > 0 ? " Cells with a dot are exact, the others estimates." : ""),
    body: [
      ...heading(title),
      axes.draw(left, top),
      ...(hatches.length > 0 ? [svg`<path d="${hatches.join("")}" ${stroke("hatch")}/>`] : []),
      svg`<g>${cells}</g>`,
      ...(["text", "paper"] as const).flatMap((color) =>
        minuses[color].length > 0
          ? [svg`<path d="${minuses[color].join("")}" pointer-events="none" ${stroke(color)}/>`]
          : [],
      ),
      ...dots,
      svg`<rect x="${px(left)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" fill="none" pointer-events="none" ${stroke("rule")}/>`,
      ...(frame ?? []),
      divergingLegend(left, top + height + 16, max),
    ],
  });
}

/** Steps from `−max` to `max`, with the numbers at the ends and in the middle. */
function divergingLegend(x: number, y: number, max: number): Svg {
  const steps = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];
  const [minText, maxText] = [numberText(-max), numberText(max)];
  const start = x + labelWidth([minText]) + 6;
  const squares = steps.map(
    (step, i) =>
      svg`<rect x="${px(start + i * 12)}" y="${px(y)}" width="12" height="10" ${fill(step < 0 ? "negative" : "weight")} fill-opacity="${Math.abs(step)}"/>`,
  );
  const end = start + steps.length * 12;
  return joinSvg([
    ...squares,
    svg`<path d="${minusPath(start + 1, y, 10)}" pointer-events="none" ${stroke("paper")}/>`,
    svg`<rect x="${px(start)}" y="${px(y)}" width="${px(end - start)}" height="10" fill="none" ${stroke("rule")}/>`,
    svg`<text x="${px(x)}" y="${px(y + 9)}" ${fill("quiet")}>${minText}</text>`,
    svg`<text x="${px(end + 6)}" y="${px(y + 9)}" ${fill("quiet")}>${maxText}</text>`,
  ]);
}

/** Checks a patched metric and computes the effects, undefined without a patch. */
function checkEffects(check: Checks, patched: PatchedMetric) {
  checkObject(check, { patched }, "an object { names, values }");
  // `activationPatching` may return more fields, which are ignored.
  const { names, values, unpatched, source } = patched;
  checkList(check, "patched.names", names, "a list with the tensor of each row");
  const missing = (x: unknown) => x === null || Number.isNaN(x);
  const metrics = Array.from((values as Partial<PictureData> | undefined)?.data ?? [], (x) =>
    missing(x) ? undefined : x,
  );
  checkData(check, values && { data: metrics.map((x) => x ?? 0), shape: values.shape }, {
    argument: "patched.values",
    ranks: [2],
    expected: "[rows, columns], each 1 or more",
    fix: "give what `activationPatching` of @qkv/lens returned, or a matrix of your own.",
  });
  if (metrics.length > maxCells) {
    const [expected, fix] = [`${maxCells} cells or fewer`, "draw a range of the rows or columns."];
    check.refuse({ argument: "patched.values", received: values.shape, expected, fix }, ShapeError);
  }
  checkLabels(check, { "patched.names": names }, values.shape[0]!);
  const fix = "leave it out if there is none.";
  if (unpatched !== undefined) check.finite({ "patched.unpatched": unpatched }, { fix });
  if (source !== undefined) check.finite({ "patched.source": source }, { fix });
  const difference = source !== undefined && unpatched !== undefined ? source - unpatched : 0;
  const effect = (x: number) => (x - (unpatched ?? 0)) / (difference || 1);
  const effects = metrics.map((x) => (x === undefined ? undefined : effect(x)));
  return { names, effects, metrics, isShare: difference !== 0 };
}
