import { checks } from "@qkv/core";
import { checkTexts } from "./check-data.js";
import { lineChart, type Line } from "./line-chart.js";
import { numberText } from "./number-text.js";

/** A step of a training run, as a report of `train` of `@qkv/transformer` has it. */
export type TrainingRow = {
  /** Updates made. */
  readonly step: number;
  /** Mean loss of the batches of the step. */
  readonly loss: number;
  /** Held-back loss, in steps with an evaluation. */
  readonly evaluation?: number | null | undefined;
  readonly learningRate?: number | undefined;
  readonly tokensPerSecond?: number | undefined;
};

/** Quantities of a run that are drawn. */
export const trainingQuantities = ["loss", "learningRate", "tokensPerSecond"] as const;

/** Options of {@link trainingView}. */
export type TrainingViewOptions = {
  /** The quantity that is drawn: losses (default), the learning rate, or the tokens per second. */
  show?: (typeof trainingQuantities)[number];
  /** The name of the picture, drawn above it. */
  title?: string;
};

/** Maximum number of points of a line. A longer run is drawn as the means of this many intervals. */
const maxPoints = 200;
const names = { loss: "loss", learningRate: "learning rate", tokensPerSecond: "tokens per second" } as const;

/**
 * Draws the curve of a training run over its steps: loss and held-back loss, the learning rate, or the speed. More than 200 steps are
 * drawn as the means of 200 intervals.
 *
 * @param run - Steps in their order, one or more.
 * @returns SVG text.
 * @throws {ArgumentError} If a number is not finite, or no step has the quantity.
 *
 * @example
 * ```ts
 * import { trainingView } from "@qkv/viz";
 *
 * const run = [{ step: 1, loss: 4.2 }, { step: 2, loss: 3.1, evaluation: 3.3 }];
 * trainingView(run).includes("held-back loss, step 2: 3.3"); // => true
 * ```
 */
export function trainingView(run: readonly TrainingRow[], options: TrainingViewOptions = {}): string {
  const check = checks("trainingView");
  const { show = "loss", title } = check.options(options, ["show", "title"]);
  checkTexts(check, { title });
  check.oneOf({ show }, trainingQuantities);
  const isRow = (row: unknown) => typeof row === "object" && row !== null;
  check.list({ run }, "steps: { step, loss }", isRow, "give the reports of `train`, in a list.");
  run.forEach(({ step, loss }, i) =>
    check.finite({ [`run[${i}].step`]: step, [`run[${i}].loss`]: loss }, { fix: "end the run there." }),
  );
  const line = (label: string, of: (row: TrainingRow) => number | null | undefined): Line => {
    const points = run.flatMap((row): [number, number][] => {
      const value = of(row);
      if (value === undefined || value === null) return [];
      check.finite({ [`run: ${label} of step ${row.step}`]: value }, { fix: "leave it out." });
      return [[row.step, value]];
    });
    const drawn = intervalMeans(points);
    return { label, meaning: "cost", x: drawn.map(([x]) => x), y: drawn.map(([, y]) => y) };
  };
  const curves =
    show === "loss"
      ? [line("loss", ({ loss }) => loss), line("held-back loss", ({ evaluation }) => evaluation)]
      : [line(names[show], (row) => row[show])];
  const lines = curves.filter(({ x }) => x.length > 0);
  if (lines.length === 0) {
    const [received, expected] = [`no step with ${show}`, "one or more"];
    check.refuse({ argument: "run", received, expected, fix: "give them in the steps, or show the loss." });
  }
  const last = lines.map(({ label, y }) => `${label} ${numberText(y.at(-1)!)}`).join(", ");
  return lineChart(lines, {
    ...{ title, xLabel: "step", yLabel: names[show] },
    name: title ?? `Training: ${names[show]}`,
    description: `A run of ${run.length} ${run.length === 1 ? "step" : "steps"}. At its end: ${last}.`,
  });
}

/** All points, or the means of `maxPoints` intervals, each at its last step. */
function intervalMeans(points: readonly [number, number][]): readonly [number, number][] {
  if (points.length <= maxPoints) return points;
  return Array.from({ length: maxPoints }, (_, i) => {
    const edge = (n: number) => Math.floor((n * points.length) / maxPoints);
    const part = points.slice(edge(i), edge(i + 1));
    return [part.at(-1)![0], part.reduce((sum, [, y]) => sum + y, 0) / part.length];
  });
}

/** The steps of a run as CSV, without columns that no step has. */
export function trainingCsv(run: readonly TrainingRow[]): string {
  const columns = [
    ["step", ({ step }: TrainingRow) => step],
    ["loss", ({ loss }: TrainingRow) => loss],
    ["heldBackLoss", ({ evaluation }: TrainingRow) => evaluation],
    ["learningRate", ({ learningRate }: TrainingRow) => learningRate],
    ["tokensPerSecond", ({ tokensPerSecond }: TrainingRow) => tokensPerSecond],
  ] as const;
  const there = columns.filter(
    ([, of], i) => i < 2 || run.some((row) => of(row) !== undefined && of(row) !== null),
  );
  const lines = run.map((row) => there.map(([, of]) => of(row) ?? "").join(","));
  return [there.map(([name]) => name).join(","), ...lines, ""].join("\n");
}
