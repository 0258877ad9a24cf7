/**
 * Indices that sort numbers stably, with NaN last in both directions. It is a bottom-up merge sort, which takes O(n log n) for any
 * numbers.
 */
export function stableOrder(values: Float64Array, descending: boolean): Int32Array {
  const n = values.length;
  let from = Int32Array.from(values, (_, k) => k);
  let to = new Int32Array(n);
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let left = start;
      let right = middle;
      for (let place = start; place < end; place++) {
        const a = values[from[left]!]!;
        const b = values[from[right]!]!;
        const rightFirst = (descending ? b > a : b < a) || (Number.isNaN(a) && !Number.isNaN(b));
        to[place] = left < middle && (right === end || !rightFirst) ? from[left++]! : from[right++]!;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
