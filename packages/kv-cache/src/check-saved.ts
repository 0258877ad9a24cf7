import type { DType, Tensor } from "@qkv/tensor";
import type { SavedLayer } from "./layer-store.js";
import { refuseSaved } from "./saved.js";

/** Constraints on a saved layer. A valid checksum does not prove that this package wrote the file. */
export type SavedRule = {
  /** Current tensors of the layer: the saved ones must have the same dtype, heads and widths. */
  readonly current: Readonly<Partial<Record<string, Tensor>>> | undefined;
  /** Names of the tensors `[B, Hkv, T, D]` of tokens. Default: `key` and `value`. */
  readonly names?: readonly string[];
  /** Smallest width D of a key. Default 1. */
  readonly keyDim?: number;
  /** Type of the tensors of tokens. Default: float32 or float64, the same for all. */
  readonly dtype?: DType;
  /** Required length of the token axis. Default: any length. */
  readonly tokens?: number;
  /** Tensors besides key and value: dtype and shape for batch size B and Hkv heads; undefined allows any length. */
  readonly extraTensors?: (
    B: number,
    heads: number,
  ) => Readonly<Record<string, readonly [DType, ...(number | undefined)[]]>>;
  /**
   * True if the numbers of one sequence are consistent: `batch(list)` is its number in a list, `tokens` the length of the
   * token axis.
   */
  readonly holds: (batch: (list: string) => number, tokens: number) => boolean;
  /** Names of the lists of numbers, each with one integer of 0 or more per sequence. */
  readonly lists: readonly string[];
};

const damaged = "the file is damaged or was changed: restore another copy, or read the prompt again.";

/** Refuses a saved layer that breaks the rule: a cache of this kind cannot have written it. */
export function checkSaved({ tensors, numbers }: SavedLayer, rule: SavedRule): void {
  const { current, names = ["key", "value"], keyDim = 1, dtype, tokens, extraTensors, holds, lists } = rule;
  const fits = (name: string, dtype: DType | undefined, shape: readonly (number | undefined)[]): Tensor => {
    const x = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    const isValid =
      x &&
      (dtype ? x.dtype === dtype : x.dtype === "float32" || x.dtype === "float64") &&
      x.shape.length === shape.length &&
      x.shape.every((length, axis) => shape[axis] === undefined || shape[axis] === length);
    if (isValid) return x;
    const expected = `${dtype ?? "float32 or float64"} [${shape.map((length) => length ?? "…").join(", ")}]`;
    refuseSaved(name, x && `${x.dtype} [${x.shape.join(", ")}]`, expected, damaged);
  };
  const key = fits("key", dtype, [undefined, undefined, tokens, undefined]);
  const [B, heads, T] = key.shape as [number, number, number, number];
  if (key.shape[3]! < keyDim) refuseSaved("key", key.shape, `[B, Hkv, T, ${keyDim} or more]`, damaged);
  for (const name of names) fits(name, key.dtype, [B, heads, T, undefined]);
  for (const [name, [dtype, ...shape]] of Object.entries(extraTensors?.(B, heads) ?? {}))
    fits(name, dtype, shape);
  for (const name of names) {
    const [saved, currentTensor] = [tensors[name]!, current?.[name]];
    if (
      !currentTensor ||
      (saved.dtype === currentTensor.dtype &&
        saved.shape[1] === currentTensor.shape[1] &&
        saved.shape[3] === currentTensor.shape[3])
    )
      continue;
    refuseSaved(
      name,
      `${saved.dtype} [${saved.shape.join(", ")}]`,
      `${currentTensor.dtype} [B, ${currentTensor.shape[1]}, T, ${currentTensor.shape[3]}], as the cache holds`,
      "restore into a cache of the model that was saved.",
    );
  }
  for (const list of lists) {
    const values: unknown = Object.hasOwn(numbers, list) ? numbers[list] : undefined;
    const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
    if (!Array.isArray(values) || values.length !== B || !values.every(isCount))
      refuseSaved(`numbers: ${list}`, values, `${B} integers, one per batch element`, damaged);
  }
  for (let b = 0; b < B; b++) {
    if (holds((list) => numbers[list]![b]!, T)) continue;
    refuseSaved(
      "numbers",
      lists.map((list) => `${list} ${numbers[list]![b]}`).join(", "),
      "numbers that the tensors have room for",
      damaged,
    );
  }
}

/** The rule of caches that hold every token: a sequence is at most as long as the token axis. */
export const everyTokenRule = (current: SavedRule["current"]): SavedRule => ({
  current,
  lists: ["lengths"],
  holds: (batch, tokens) => batch("lengths") <= tokens,
});
