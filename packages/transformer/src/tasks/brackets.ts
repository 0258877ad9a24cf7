import { checks } from "@qkv/core";
import { tensor, uniform, type Device } from "@qkv/tensor";
import type { BatchAt } from "../training/batch.js";

/** Options of the task of brackets. */
export type BracketOptions = {
  /** Maximum number of brackets per row. Default 24. */
  maxLength?: number;
  /** B. Default 64. */
  batchSize?: number;
  /** An integer: another seed gives other rows. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/** Token ids of the task: start, both brackets, and end. */
export const bracketIds = { start: 0, open: 1, close: 2, end: 3 } as const;

/**
 * Encodes a text of brackets, with start and end token.
 *
 * @throws {ArgumentError} If the text holds other characters.
 *
 * @example
 * ```ts
 * import { encodeBrackets } from "@qkv/transformer/tasks";
 *
 * encodeBrackets("(())"); // => [0, 1, 1, 2, 2, 3]
 * ```
 */
export function encodeBrackets(text: string): number[] {
  const check = checks("encodeBrackets");
  check.type({ text }, "string");
  const fix = 'leave other characters out: `text.replace(/[^()]/g, "")`.';
  check.each({ text }, () => /^[()]*$/.test(text), "brackets ( and ) alone", fix);
  const { start, open, close, end } = bracketIds;
  return [start, ...Array.from(text, (bracket) => (bracket === "(" ? open : close)), end];
}

/**
 * Rows of brackets, `start ( ( ) ) end`, with one target at the first `end`: 1 for a row in which every bracket closes one that was
 * opened before, and none stays open; else 0. Half of the rows are balanced. Of the others, a third are drawn at random, a third
 * have one bracket of a balanced row flipped, and a third have as many of both in a wrong order.
 *
 * Rows are padded with `end`, which a model with a causal mask does not see.
 *
 * @returns `batchAt` for `train`: ids and targets `[B, maxLength + 2]`. The same step gives the same batch.
 * @throws {ArgumentError} If `maxLength` is below 2.
 *
 * @example
 * ```ts
 * import { bracketBatches } from "@qkv/transformer/tasks";
 *
 * const { ids, targets } = bracketBatches({ maxLength: 4, batchSize: 8, seed: 1 })(0);
 * ids.shape; // => [8, 6]
 * targets.data.filter((target) => target >= 0).length; // => 8
 * ```
 */
export function bracketBatches(options: BracketOptions): BatchAt {
  const check = checks("bracketBatches");
  const names = ["maxLength", "batchSize", "seed", "device"] as const;
  const { maxLength = 24, batchSize: B = 64, seed, device } = check.options(options, names);
  check.whole({ maxLength }, { min: 2, unit: "brackets" });
  check.whole({ batchSize: B }, { min: 1 });
  check.whole({ seed });
  const T = maxLength + 2;
  const draws = 2 * maxLength + 4;
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    const { data } = uniform([B, draws], { seed, draw: step, dtype: "float64" });
    const [ids, targets] = [new Int32Array(B * T).fill(bracketIds.end), new Int32Array(B * T).fill(-100)];
    for (let b = 0; b < B; b++) {
      let next = b * draws;
      const steps = bracketRow(maxLength, () => data[next++]!);
      ids[b * T] = bracketIds.start;
      steps.forEach((bracket, n) => (ids[b * T + 1 + n] = bracket > 0 ? bracketIds.open : bracketIds.close));
      targets[b * T + 1 + steps.length] = isBalanced(steps) ? 1 : 0;
    }
    return { ids: idTensor(ids), targets: idTensor(targets) };
  };
}

/** A random row of brackets: 1 for an opening bracket, -1 for a closing one. */
function bracketRow(maxLength: number, draw: () => number): number[] {
  const randomInt = (count: number) => Math.floor(draw() * count); // from 0 to count - 1
  const pairs = 1 + randomInt(Math.floor(maxLength / 2));
  const kind = draw();
  if (kind < 1 / 6) return Array.from({ length: 1 + randomInt(maxLength) }, () => (draw() < 0.5 ? 1 : -1));
  const steps = shuffle(
    [...new Array<number>(pairs).fill(1), ...new Array<number>(pairs).fill(-1)],
    randomInt,
  );
  if (kind < 1 / 3) return steps;
  // Rotated to begin after its first lowest depth, a row with as many of both is balanced.
  const depths = steps.reduce<number[]>((sums, step) => [...sums, sums.at(-1)! + step], [0]);
  const lowest = depths.indexOf(Math.min(...depths));
  const balanced = [...steps.slice(lowest), ...steps.slice(0, lowest)];
  if (kind >= 1 / 2) return balanced;
  const flipped = randomInt(balanced.length);
  return balanced.map((step, n) => (n === flipped ? -step : step));
}

/** Shuffles a list in place (Fisher–Yates). */
function shuffle(list: number[], randomInt: (count: number) => number): number[] {
  for (let n = list.length - 1; n > 0; n--) {
    const other = randomInt(n + 1);
    [list[n], list[other]] = [list[other]!, list[n]!];
  }
  return list;
}

function isBalanced(steps: readonly number[]): boolean {
  let depth = 0;
  return steps.every((step) => (depth += step) >= 0) && depth === 0;
}
