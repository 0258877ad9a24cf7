import { checkTensor, isTensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values.js";

/** Converts the arguments `(key, value, …rest)` or `(keyValues, …rest)` to `[keyValues, …rest]`. */
export function normalizeKeyValues(
  fn: string,
  [first, ...rest]: readonly unknown[],
): [keyValues: KeyValues, ...rest: unknown[]] {
  if (!isTensor(first) && Array.isArray((first as KeyValues | undefined)?.key)) {
    return [first as KeyValues, ...rest];
  }
  const key = [checkTensor(fn, "key", first)];
  const value = [checkTensor(fn, "value", rest.shift())];
  return [{ key, value, positions: { start: 0 } }, ...rest];
}
