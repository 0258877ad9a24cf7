import { numberText } from "./number-text.js";
import { fill, stroke, type Meaning } from "./palette.js";
import { heading, labelWidth, picture, px, titleWidth } from "./picture.js";
import { svg } from "./svg.js";
import { ticks } from "./ticks.js";

/** One line: its points, `[N]` each, from left to right. */
export type Line = {
  readonly label?: string;
  readonly meaning: Meaning;
  readonly x: readonly number[];
  readonly y: readonly number[];
};

/** Texts of a chart. */
export type LineChartTexts = {
  /** Drawn above it. */
  readonly title?: string | undefined;
  readonly xLabel?: string | undefined;
  readonly yLabel?: string | undefined;
  /** Title and description for screen readers. */
  readonly name: string;
  readonly description: string;
};

const plot = { width: 360, height: 200 };
const dashes = ["", "6 4", "2 3", "10 3 2 3"];

/** Draws lines over one x axis. Each point has its numbers as an SVG `<title>`. Either all lines have a label or none. */
export function lineChart(
  rows: readonly Line[],
  { title, xLabel, yLabel, name, description }: LineChartTexts,
): string {
  const labels = rows.flatMap(({ label }) => label ?? []);
  const [data, across] = [rows.flatMap(({ y }) => y), rows.flatMap(({ x }) => x)];
  const yTicks = ticks(Math.min(...data), Math.max(...data));
  const xTicks = ticks(Math.min(...across), Math.max(...across));
  const yTexts = yTicks.map(numberText);
  const left = 12 + (yLabel ? 18 : 0) + labelWidth(yTexts) + 8;
  const top = title ? 40 : 14;
  const place = (value: number, [first = 0, ...rest]: number[], length: number) =>
    ((value - first) / ((rest.at(-1) ?? first) - first)) * length;
  const atX = (value: number) => left + place(value, xTicks, plot.width);
  const atY = (value: number) => top + plot.height - place(value, yTicks, plot.height);

  const grid = [
    ...yTicks.map(
      (tick, i) =>
        svg`<line x1="${px(left)}" y1="${px(atY(tick))}" x2="${px(left + plot.width)}" y2="${px(atY(tick))}" ${stroke("rule")}/><text x="${px(left - 8)}" y="${px(atY(tick) + 4)}" text-anchor="end" ${fill("quiet")}>${yTexts[i]!}</text>`,
    ),
    ...xTicks.map(
      (tick) =>
        svg`<text x="${px(atX(tick))}" y="${px(top + plot.height + 18)}" text-anchor="middle" ${fill("quiet")}>${numberText(tick)}</text>`,
    ),
    ...(xLabel
      ? [
          svg`<text x="${px(left + plot.width / 2)}" y="${px(top + plot.height + 38)}" text-anchor="middle" ${fill("text")}>${xLabel}</text>`,
        ]
      : []),
    ...(yLabel
      ? [
          svg`<text transform="translate(20 ${px(top + plot.height / 2)}) rotate(-90)" text-anchor="middle" ${fill("text")}>${yLabel}</text>`,
        ]
      : []),
  ];

  // Names of lines that end close together are moved apart: from the top down, then up from the lower edge.
  const ends = rows.map(({ y }, k) => ({ k, y: atY(y.at(-1)!) })).sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => (end.y = Math.max(end.y, (ends[i - 1]?.y ?? -Infinity) + 14)));
  const lowest = top + plot.height + (xLabel ? 38 : 18);
  ends.toReversed().forEach((end, i) => (end.y = Math.min(end.y, lowest - 14 * i)));
  const drawn = rows.map(({ label, meaning, x: across, y: row }, k) => {
    const N = row.length;
    const points = row.map((value, i) => `${px(atX(across[i]!))},${px(atY(value))}`);
    const dots = row.map((value, i) => {
      const name = `${label === undefined ? "" : `${label}, `}${xLabel ?? "x"} ${numberText(across[i]!)}: ${numberText(value)}`;
      const [cx, cy] = [px(atX(across[i]!)), px(atY(value))];
      return svg`<circle cx="${cx}" cy="${cy}" r="${N > 40 ? 4 : 3}"><title>${name}</title></circle>`;
    });
    const y = (ends.find((end) => end.k === k)?.y ?? 0) + 4;
    return [
      svg`<polyline points="${points.join(" ")}" fill="none" stroke-width="2" stroke-linejoin="round" stroke-dasharray="${dashes[k % dashes.length]!}" ${stroke(meaning)}/>`,
      // Dots of dense lines would hide the dashes, so they are transparent and only receive the pointer.
      svg`<g ${fill(meaning)}${N > 40 ? svg` fill-opacity="0"` : ""}>${dots}</g>`,
      ...(label === undefined
        ? []
        : [
            svg`<text x="${px(left + plot.width + 10)}" y="${px(y)}" ${fill(`${meaning}-text`)}>${label}</text>`,
          ]),
    ];
  });
  return picture({
    width: Math.max(left + plot.width + 24 + labelWidth(labels), titleWidth(title)),
    height: top + plot.height + (xLabel ? 50 : 30),
    title: name,
    description,
    body: [...heading(title), ...grid, ...drawn.flat()],
  });
}
