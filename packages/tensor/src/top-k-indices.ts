import { stableOrder } from "./stable-order.js";

/**
 * Indices of the `k` largest numbers, the largest first; of equals the first, and NaN only where nothing else is
 * left. A heap holds the best so far, its worst on top, so that most numbers of a long line are looked at once.
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
    // A later number must be larger than the smallest in the heap: of equals the first stays.
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
