import { stableOrder } from "./stable-order.js";

/**
 * Indices of the `k` largest numbers, the largest first. Of equal numbers the first ones are selected, and NaN only if there are too few
 * numbers. A min-heap has the k best ones so far, so that most numbers need a single comparison.
 */
export function topKIndices(values: Float64Array, k: number): Int32Array {
  const heap = new Int32Array(k);
  const worse = (p: number, q: number): boolean => {
    const [a, b] = [values[p]!, values[q]!];
    return (
      a < b ||
      (Number.isNaN(a) && !Number.isNaN(b)) ||
      (p > q && !(a > b) && Number.isNaN(a) === Number.isNaN(b))
    );
  };
  /** Sifts the element at `top` down among the first `size`. */
  const sink = (top: number, size: number): void => {
    const place = heap[top]!;
    for (let child = 2 * top + 1; child < size; child = 2 * top + 1) {
      if (child + 1 < size && worse(heap[child + 1]!, heap[child]!)) child += 1;
      if (!worse(heap[child]!, place)) break;
      heap[top] = heap[child]!;
      top = child;
    }
    heap[top] = place;
  };
  for (let p = 0; p < k; p++) heap[p] = p;
  for (let top = (k >> 1) - 1; top >= 0; top--) sink(top, k);
  for (let p = k; k > 0 && p < values.length; p++) {
    // A later number must be larger than the smallest in the heap: of equal numbers the first one is kept.
    const worst = values[heap[0]!]!;
    if (!(values[p]! > worst) && !(Number.isNaN(worst) && !Number.isNaN(values[p]!))) continue;
    heap[0] = p;
    sink(0, k);
  }
  heap.sort();
  const order = stableOrder(
    Float64Array.from(heap, (p) => values[p]!),
    true,
  );
  return order.map((n) => heap[n]!);
}
