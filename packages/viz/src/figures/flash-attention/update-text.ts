import type { Mark } from "../mark.js";
import type { FlashLayout } from "./layout.js";
import { blockRange, type FlashAttentionModel } from "./model.js";
import { queryState } from "./query-state.js";
import type { Walk } from "./walk.js";
import { fixed } from "../fixed.js";

/** Height of the arithmetic. Unit: pixels. */
export const updateHeight = 132;

/** The arithmetic of one query: the focused one, or the first of the current tile whose state is rescaled. */
export function updateText(
  model: FlashAttentionModel,
  walk: Walk,
  focus: string | undefined,
  { N, D, panel }: FlashLayout,
): Mark[] {
  const tile = walk.current;
  const pressed = Number(/^(?:scores|o|query):(\d+):/.exec(focus ?? "")?.[1] ?? -1);
  const lines = tile ? arithmetic() : walk.done === 0 ? beginning : division();
  return lines.map((text, i): Mark => ({
    key: `update:${i}`,
    kind: "text",
    x: panel.x,
    y: panel.y + 12 + i * 22,
    text,
    size: i === 0 ? 13 : 12,
    weight: i === 0 ? 600 : 400,
    opacity: !tile || i === 0 ? 1 : i === 1 ? walk.score : Math.min(1, 2 * walk.update),
  }));

  function division(): string[] {
    const t = pressed >= 0 && pressed < N ? pressed : N - 1;
    const { sum, accumulator } = queryState(model, walk, t);
    const list = (values: readonly number[]) => values.map((value) => fixed(value)).join(", ");
    const outputs = Array.from(model.output.data).slice(t * D, (t + 1) * D);
    return [
      `Query ${t + 1}, at the end`,
      "output = o / l",
      `o ≈ (${list(accumulator)})`,
      `l ≈ ${fixed(sum)}`,
      `o / l ≈ (${list(outputs)})`,
    ];
  }

  function arithmetic(): string[] {
    const { start, end } = blockRange(tile!.row, model);
    const keys = blockRange(tile!.column, model);
    const { before, after } = tile!;
    const rescaled = after.max.findIndex((m, i) => before.sum[i]! > 0 && m > before.max[i]!);
    const visible = after.max.findIndex((m) => m > -Infinity);
    const i = pressed >= start && pressed < end ? pressed - start : rescaled >= 0 ? rescaled : visible;
    const t = start + i;
    const [m, l] = [after.max[i]!, after.sum[i]!];
    const scores = Array.from(
      { length: keys.end - keys.start },
      (_, s) => model.scores.data[t * N + keys.start + s]!,
    );
    const seen = scores.filter((score) => score > -Infinity);
    if (seen.length === 0) return [`Query ${t + 1}`, "sees no key of this tile: nothing changes"];
    const added = seen.reduce((sum, score) => sum + Math.exp(score - m), 0);
    const old = before.sum[i]!;
    const isFirst = old === 0;
    const factor = Math.exp(before.max[i]! - m);
    const largest = Math.max(...seen);
    return [
      `Query ${t + 1}, step by step`,
      `largest score of this tile: ${fixed(largest)}`,
      isFirst ? `m = ${fixed(m)}` : `m = max(${fixed(before.max[i]!)}, ${fixed(largest)}) = ${fixed(m)}`,
      isFirst
        ? "nothing to rescale yet"
        : `rescale by e^(${fixed(before.max[i]!)} − ${inParentheses(m)}) ≈ ${fixed(factor)}`,
      isFirst
        ? `l ≈ ${fixed(l)}, the sum of e^(score − m)`
        : `l ≈ ${fixed(factor)} · ${fixed(old)} + ${fixed(added)} ≈ ${fixed(l)}`,
      isFirst
        ? "o = sum of e^(score − m) · value"
        : `o ≈ ${fixed(factor)} · o + sum of e^(score − m) · value`,
    ];
  }
}

const beginning = [
  "Each query, at the start",
  "m = −∞: no score seen yet",
  "l = 0: sum of e^(score − m)",
  "o = 0: sum of e^(score − m) · value",
];

const inParentheses = (value: number) => (value < 0 ? `(${fixed(value)})` : fixed(value));
