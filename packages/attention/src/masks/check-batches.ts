import { checks } from "@qkv/core";
import type { Extent } from "@qkv/attention-contract";

/** Refuses a list whose length differs from the batch size, if that is known. */
export function checkBatches(
  fn: string,
  argument: string,
  list: ArrayLike<unknown>,
  { batches = list.length }: Extent,
): void {
  if (batches !== list.length) refuseLength(fn, argument, list, `${batches}, one per batch element`);
}

/** Throws the error for a sequence of the batch that has no entry in the list. */
export function refuseBatch(fn: string, argument: string, list: ArrayLike<unknown>, batch: number): never {
  return refuseLength(fn, argument, list, `one per batch element, and there is a batch element ${batch}`);
}

function refuseLength(fn: string, argument: string, list: ArrayLike<unknown>, expected: string): never {
  const fix = "give one per batch element of the query.";
  return checks(fn).refuse({ argument, received: `${list.length} in all`, expected, fix });
}
