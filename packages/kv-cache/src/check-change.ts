import { checks, isList } from "@qkv/core";
import type { KvCache } from "./cache.js";

/** True if a value is a cache, made by any copy of the package. */
export function isCache(value: unknown): value is KvCache {
  const { update, save, numLayers } = (value ?? {}) as Partial<KvCache>;
  return typeof update === "function" && typeof save === "function" && typeof numLayers === "number";
}

const cropped = /* @__PURE__ */ checks("crop", { argument: "length" });

/** The new length of each sequence when a cache is cropped to `length`: one number, or one per sequence. */
export function croppedLengths(length: number | ArrayLike<number>, lengths: ArrayLike<number>): number[] {
  const current = Array.from(lengths);
  if (typeof length !== "number" && (!isList(length) || length.length !== current.length)) {
    cropped.refuse({
      received: isList(length) ? `${length.length} lengths` : length,
      expected: `one, or ${current.length}, one per batch element`,
      fix: "give the number of tokens to keep per batch element.",
    });
  }
  const longest = Math.max(0, ...current);
  // Any integer is accepted for an empty cache, but not NaN or a fraction.
  if (current.length === 0 && typeof length === "number" && !Number.isInteger(length)) {
    cropped.refuse({ received: length, expected: "an integer number of tokens", fix: "count tokens." });
  }
  return current.map((seen, batch) => {
    const requested = typeof length === "number" ? length : length[batch]!;
    // A single number may exceed the length of a shorter sequence, which then stays as it is.
    const maxLength = typeof length === "number" ? longest : seen;
    const newLength = requested < 0 ? seen + requested : Math.min(requested, seen);
    if (
      typeof requested === "number" &&
      Number.isInteger(newLength) &&
      newLength >= 0 &&
      requested <= maxLength
    )
      return newLength;
    return cropped.refuse({
      received: requested,
      expected: `an integer number of tokens from ${-seen} to ${maxLength}`,
      fix: "keep at most what the cache has seen; negative numbers drop from the end.",
    });
  });
}

/** Refuses indices of sequences that the batch does not have. */
export function checkBatchIds(ids: readonly number[], batches: number): void {
  const isIndex = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < batches;
  const firstInvalid = isList(ids) ? Array.from(ids).findIndex((id) => !isIndex(id)) : -1;
  if (isList(ids) && ids.length > 0 && firstInvalid < 0) return;
  checks("reorder").refuse({
    argument: "ids",
    received: firstInvalid < 0 ? ids : ids[firstInvalid],
    expected: batches > 0 ? `batch indices from 0 to ${batches - 1}` : "none, since the cache is empty",
    fix: "give indices of sequences that the cache holds.",
  });
}

/** Each batch index repeated `times` times, with the copies next to each other. */
export function repeatedBatchIds(times: number, batches: number): number[] {
  const fix = "give the number of copies of each sequence of the batch.";
  checks("repeat").whole({ times }, { min: 1, fix });
  return Array.from({ length: batches * times }, (_, i) => Math.floor(i / times));
}

/** Refuses a number of layers below 1 and an `unrotatedKeys` that is not a boolean. */
export function checkCacheOptions(fn: string, numLayers: number, unrotatedKeys = false): void {
  const check = checks(fn);
  check.whole(
    { numLayers },
    { min: 1, max: 2 ** 16, unit: "layers", fix: "give the number of layers of the model." },
  );
  check.type({ unrotatedKeys }, "boolean");
}

/** Refuses a `dtype` option other than float16 and bfloat16, and one that is combined with `unrotatedKeys`. */
export function checkHalfType(fn: string, dtype: unknown, unrotatedKeys = false): void {
  if (dtype === undefined) return;
  const check = checks(fn);
  check.oneOf({ dtype }, ["float16", "bfloat16"], "leave it out for the type of the keys.");
  if (!unrotatedKeys) return;
  check.refuse({
    argument: "dtype",
    received: `${dtype as string} with unrotatedKeys`,
    expected: "keys that are stored rotated",
    fix: "leave `dtype` out, or rotate keys before `update`.",
  });
}

/** Refuses a range of tokens that exceeds the shortest sequence. */
export function checkTokenRange(start: number, end: number, lengths: ArrayLike<number>): void {
  const shortest = Math.min(...Array.from(lengths));
  if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= shortest)
    return;
  checks("discard").refuse({
    argument: "start",
    received: `${start} to ${end}`,
    expected: `a range of tokens within the first ${shortest}, which every sequence has`,
    fix: "use 0 <= start <= end <= length.",
  });
}

/** Returns the `content` of a layer. Refuses an empty layer, and an index that the cache does not have. */
export function checkRead<T>(fn: string, layer: number, numLayers: number, content: T | undefined): T {
  const known = Number.isInteger(layer) && layer >= 0 && layer < numLayers;
  if (known && content !== undefined) return content;
  return checks(fn).refuse({
    argument: "layer",
    received: layer,
    expected: known ? "a layer that holds tokens" : `a layer from 0 to ${numLayers - 1}`,
    fix: known ? "append tokens first, or restore some." : "layers are counted from 0.",
  });
}
