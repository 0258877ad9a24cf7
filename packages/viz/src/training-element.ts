import { checks } from "@qkv/core";
import { saveFile, toolButton } from "./picture-tools.js";
import { trainingCsv, trainingQuantities, type trainingView, type TrainingRow } from "./training-view.js";

/** The element `<qkv-training>`. */
type TrainingElement = HTMLElement & {
  args: Parameters<typeof trainingView> | undefined;
  draw(...args: Parameters<typeof trainingView>): void;
};

type Report = Pick<TrainingRow, "step" | "loss" | "evaluation"> & { readonly timeMs?: number };

/** Options of {@link followTraining}. */
export type FollowTrainingOptions = {
  /** Tokens of one step, for its speed: `accumulate * batchSize * contextLength`. Default: the speed is not drawn. */
  tokensPerStep?: number;
  /** The learning rate, or the schedule that the optimizer has, a function of the updates made. Default: it is not drawn. */
  learningRate?: number | ((step: number) => number);
};

/** Minimum time between two drawings, and with `prefers-reduced-motion`. Unit: milliseconds. */
const [pause, reducedMotionPause] = [250, 2000];

/**
 * Draws a training run in `<qkv-training>` while it runs, and yields its reports: wrap it around `train`. The curve is drawn at most
 * four times a second, or every two seconds with `prefers-reduced-motion`, and not while a reader has the keyboard focus in it. At the
 * end it is drawn completely.
 *
 * @param element - A `<qkv-training>`; `args` are its rows afterwards.
 * @param run - Reports with `step` and `loss`, as those of `train`.
 * @returns The reports of the run.
 *
 * @example
 * ```ts
 * import { defineElements, followTraining, type PictureElement } from "@qkv/viz/elements";
 *
 * defineElements();
 * async function* run() {
 *   yield { step: 1, loss: 4.2, timeMs: 20 }; // mostly train({ … })
 * }
 * async function show(element: PictureElement<"qkv-training">) {
 *   for await (const { step } of followTraining(element, run(), { tokensPerStep: 1024 })) console.log(step);
 * }
 * typeof show; // => "function"
 * ```
 */
export async function* followTraining<R extends Report>(
  element: TrainingElement,
  run: AsyncIterable<R>,
  options?: FollowTrainingOptions,
): AsyncGenerator<R, void> {
  const check = checks("followTraining");
  const { tokensPerStep, learningRate } = check.options(options, ["tokensPerStep", "learningRate"]);
  const canDraw = (value: unknown) => typeof (value as typeof element | undefined)?.draw === "function";
  check.each({ element }, canDraw, "a <qkv-training>", "call `defineElements()` before.");
  if (tokensPerStep !== undefined) check.finite({ tokensPerStep }, { above: 0 });
  const rateAt = typeof learningRate === "function" ? learningRate : () => learningRate;
  const rows: TrainingRow[] = [];
  const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
  let drawn = -Infinity;
  const draw = () => {
    element.draw([...rows], element.args?.[1]);
    drawn = performance.now();
  };
  try {
    for await (const report of run) {
      const { step, loss, evaluation, timeMs } = report;
      const rate = rateAt(step - 1);
      rows.push({
        ...{ step, loss },
        ...(evaluation !== undefined && { evaluation }),
        ...(rate !== undefined && { learningRate: rate }),
        ...(tokensPerStep && timeMs && { tokensPerSecond: tokensPerStep / (timeMs / 1000) }),
      });
      const due = performance.now() - drawn >= (calm ? reducedMotionPause : pause);
      if (due && !element.contains(document.activeElement)) draw();
      yield report;
    }
  } finally {
    if (rows.length > 0) draw();
  }
}

/**
 * Adds tools below the curve of a run: its latest numbers, buttons for its quantities, and a button that saves it as CSV.
 *
 * @param redraw - Draws the same run with another quantity.
 */
export function addTrainingTools(
  host: HTMLElement,
  run: readonly TrainingRow[],
  shown: (typeof trainingQuantities)[number],
  redraw: (show: (typeof trainingQuantities)[number]) => void,
): void {
  const tools = host.querySelector<HTMLElement>("[data-qkv-tools]");
  const last = run.at(-1);
  if (!tools || !last) return;
  const there = trainingQuantities.filter((name) => run.some((row) => row[name] !== undefined));
  const choices =
    there.length < 2
      ? []
      : there.map((name) => {
          const button = toolButton(labels[name], () => {
            redraw(name);
            host.querySelector<HTMLElement>(`[data-qkv-show="${name}"]`)?.focus();
          });
          button.dataset["qkvShow"] = name;
          button.setAttribute("aria-pressed", String(name === shown));
          return button;
        });
  const csv = toolButton("CSV", () =>
    saveFile(new Blob([trainingCsv(run)], { type: "text/csv" }), "csv", "training"),
  );
  const status = document.createElement("p");
  status.textContent = statusText(run, last);
  tools.prepend(status, ...choices);
  tools.querySelector("button:last-of-type")?.after(csv);
}

const labels = { loss: "Loss", learningRate: "Learning rate", tokensPerSecond: "Tokens/s" } as const;

function statusText(
  run: readonly TrainingRow[],
  { step, loss, learningRate, tokensPerSecond }: TrainingRow,
): string {
  const heldBack = run.findLast(
    ({ evaluation }) => evaluation !== undefined && evaluation !== null,
  )?.evaluation;
  return [
    `step ${step}: loss ${loss.toFixed(4)}`,
    ...(typeof heldBack === "number" ? [`held-back ${heldBack.toFixed(4)}`] : []),
    ...(learningRate === undefined ? [] : [`learning rate ${learningRate.toPrecision(3)}`]),
    ...(tokensPerSecond === undefined
      ? []
      : [`${Math.round(tokensPerSecond).toLocaleString("en-US")} tokens/s`]),
  ].join(", ");
}
