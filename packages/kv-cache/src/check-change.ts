import { ArgumentError } from "@qkv/core";

/** What each batch keeps when a cache is cropped to `length`, one number or one for each batch. */
export function keptLengths(length: number | ArrayLike<number>, lengths: ArrayLike<number>): number[] {
  const own = Array.from(lengths);
  if (typeof length !== "number" && length.length !== own.length) {
    throw new ArgumentError({
      fn: "crop",
      argument: "length",
      received: `${length.length} lengths`,
      expected: `one, or ${own.length}, one for each batch`,
      fix: "say of each batch how many tokens it keeps.",
    });
  }
  const longest = Math.max(0, ...own);
  return own.map((seen, batch) => {
    const wanted = typeof length === "number" ? length : length[batch]!;
    // One number may be more than a shorter batch has: that batch stays as it is.
    const most = typeof length === "number" ? longest : seen;
    const kept = wanted < 0 ? seen + wanted : Math.min(wanted, seen);
    if (Number.isInteger(kept) && kept >= 0 && wanted <= most) return kept;
    throw new ArgumentError({
      fn: "crop",
      argument: "length",
      received: wanted,
      expected: `a whole number of tokens from ${-seen} to ${most}`,
      fix: "keep at most what the cache has seen; negative numbers drop from the end.",
    });
  });
}

/** Refuses batches that are not there. */
export function checkIds(ids: readonly number[], batches: number): void {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= batches);
  if (wrong === undefined) return;
  throw new ArgumentError({
    fn: "reorder",
    argument: "ids",
    received: wrong,
    expected: batches > 0 ? `batches from 0 to ${batches - 1}` : "none, since the cache is empty",
    fix: "name batches that the cache holds.",
  });
}

/** Which batch stands at each place when each comes `times` times. */
export function repeatedIds(times: number, batches: number): number[] {
  checkCount(
    "repeat",
    "times",
    times,
    "a whole number, 1 or more",
    "give how many copies of each batch there shall be.",
  );
  return Array.from({ length: batches * times }, (_, i) => Math.floor(i / times));
}

/** Refuses what is not a whole number of at least `least`. */
export function checkCount(
  fn: string,
  argument: string,
  received: number,
  expected: string,
  fix: string,
  least = 1,
): void {
  if (Number.isInteger(received) && received >= least) return;
  throw new ArgumentError({ fn, argument, received, expected, fix });
}

/** Refuses what is not a number of layers. */
export function checkLayers(fn: string, numLayers: number): void {
  checkCount(
    fn,
    "numLayers",
    numLayers,
    "a whole number of layers, 1 or more",
    "give the number of layers of the model.",
  );
}

/** Refuses a stretch that does not lie inside what every batch has. */
export function checkStretch(start: number, end: number, lengths: ArrayLike<number>): void {
  const shortest = Math.min(...Array.from(lengths));
  if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= shortest)
    return;
  throw new ArgumentError({
    fn: "discard",
    argument: "start",
    received: `${start} to ${end}`,
    expected: `a stretch of whole tokens inside the ${shortest} that every batch has`,
    fix: "use 0 <= start <= end <= length.",
  });
}

/** Refuses to read a layer that holds nothing. */
export function checkRead<T>(layer: number, numLayers: number, held: T | undefined): T {
  if (held !== undefined) return held;
  const known = Number.isInteger(layer) && layer >= 0 && layer < numLayers;
  throw new ArgumentError({
    fn: "read",
    argument: "layer",
    received: layer,
    expected: known ? "a layer that holds tokens" : `a layer from 0 to ${numLayers - 1}`,
    fix: known ? "append tokens first, or restore some." : "layers are counted from 0.",
  });
}
