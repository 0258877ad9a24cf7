import type { Mark } from "../mark.js";
import { bytesText } from "../bytes-text.js";
import type { EvolutionModel, EvolutionStep } from "./model.js";

/**
 * The costs of a bar of full length: the largest cache, and the largest work up to 8 times the median. Bars of larger costs are
 * cut off.
 */
export function fullScale({ steps }: EvolutionModel): { cache: number; work: number } {
  const cache = Math.max(...steps.map(({ cacheBytesPerToken }) => cacheBytesPerToken));
  const work = steps.map(({ flopsPerToken }) => flopsPerToken).sort((a, b) => a - b);
  const median = work[Math.floor(work.length / 2)]!;
  return { cache, work: Math.max(...work.filter((flops) => flops <= 8 * median)) };
}

export const costHeight = 108;

/** Bars for the cache and the work of a step, on one scale for all steps. A dashed line marks the value of the previous step. */
export function costBars(
  model: EvolutionModel,
  step: EvolutionStep,
  before: EvolutionStep | undefined,
  prefix: string,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const full = fullScale(model);
  const rows = [
    {
      id: "cache",
      name: "Cache per token of context",
      value: step.cacheBytesPerToken,
      was: before?.cacheBytesPerToken,
      max: full.cache,
      text: step.cacheBytesPerToken === 0 ? "nothing to cache" : bytesText(step.cacheBytesPerToken),
      note: step.cacheText,
      fill: "text",
    },
    {
      id: "work",
      name: "Work per new token",
      value: step.flopsPerToken,
      was: before?.flopsPerToken,
      max: full.work,
      text: flopsText(step.flopsPerToken),
      note: step.workText,
      fill: "cost",
    },
  ] as const;
  return rows.flatMap(({ id, name, value, was, max, text, note, fill }, i): Mark[] => {
    const top = y + i * 54;
    const key = `${prefix}cost:${id}`;
    const length = (cost: number) => Math.min(1, cost / max) * width;
    const exceedsScale = value > max;
    return [
      { key: `${key}:name`, kind: "text", x, y: top + 12, text: name, weight: 600 },
      { key: `${key}:value`, kind: "text", x: x + width, y: top + 12, text, anchor: "end", weight: 700 },
      {
        key: `${key}:all`,
        kind: "rect",
        x,
        y: top + 18,
        width,
        height: 12,
        radius: 2,
        fill: "rule",
        fillOpacity: 0.4,
      },
      {
        key: `${key}:bar`,
        kind: "rect",
        x,
        y: top + 18,
        width: length(value),
        height: 12,
        radius: 2,
        fill,
        ariaLabel: `${step.title}, ${name.toLowerCase()}: ${text}`,
      },
      ...(exceedsScale
        ? [
            {
              key: `${key}:cut`,
              kind: "path",
              x: x + width - 26,
              y: top + 16,
              d: "M0 16L8 0M6 16L14 0",
              stroke: "paper",
              strokeWidth: 3,
            } satisfies Mark,
          ]
        : []),
      ...(was === undefined
        ? []
        : [
            {
              key: `${key}:was`,
              kind: "path",
              x: x + length(was),
              y: top + 15,
              d: "M0 0V18",
              stroke: "weight",
              strokeWidth: 2,
              dash: true,
            } satisfies Mark,
          ]),
      { key: `${key}:note`, kind: "text", x, y: top + 44, text: note, size: 11, fill: "quiet" },
    ];
  });
}

/** Operations in words: "543 million operations". */
export function flopsText(flops: number): string {
  for (const [size, word] of [
    [1e12, "trillion"],
    [1e9, "billion"],
    [1e6, "million"],
  ] as const)
    if (flops >= size) return `${Number((flops / size).toPrecision(3))} ${word} operations`;
  return `${flops.toLocaleString("en-US")} operations`;
}
