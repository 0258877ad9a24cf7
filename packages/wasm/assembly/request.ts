// What one call of attention is, as words in memory: written by src/kernels/attention-request.ts in the order below.

@inline
export function word(request: usize, index: usize): i32 {
  return load<i32>(request + (index << 2));
}
@inline
export function address(request: usize, index: usize): usize {
  return <usize>load<u32>(request + (index << 2));
}
@inline
export function float(request: usize, index: usize): f32 {
  return load<f32>(request + (index << 2));
}

export const HEADS: usize = 0;
export const QUERIES: usize = 1;
export const KEYS: usize = 2;
export const DIM: usize = 3;
export const VALUE_DIM: usize = 4;
/** Query heads to a head of keys and values. */
export const GROUP: usize = 5;
export const SCALE: usize = 6;
export const SOFTCAP: usize = 7;
/** The plan: tiles along queries and keys, steps from one batch and head to the next (0: the same), and its tables. */
export const ROWS: usize = 8;
export const COLUMNS: usize = 9;
export const PLAN_BATCH: usize = 10;
export const PLAN_HEAD: usize = 11;
export const CLASSES: usize = 12;
export const BITS_AT: usize = 13;
export const BITS: usize = 14;
/** Query: address, then strides of batch, head, place and number. */
export const QUERY: usize = 15;
export const OUTPUT: usize = 20;
export const LSE: usize = 21;
/** Each part of keys, then of values: its length, its address and its four strides. */
export const PARTS: usize = 22;
export const PART: usize = 6;
export const KEY_PARTS: usize = 23;

/** Numbers from one row to the next of the rows that `findRows` found last. */
export let rowStep: i32 = 0;

/**
 * Finds stored rows `start` to `start + length - 1` of one batch and head. Rows that do not lie as the kernels read them,
 * or that reach over two parts, are copied to `scratch`, `width` numbers a row, zeros beyond `dim`.
 *
 * @param part - Words of the first part.
 */
export function findRows(
  part: usize,
  batch: i32,
  head: i32,
  start: i32,
  length: i32,
  dim: i32,
  width: i32,
  scratch: usize,
): usize {
  while (start >= word(part, 0)) {
    start -= word(part, 0);
    part += PART << 2;
  }
  let done = 0;
  while (done < length) {
    const count = min(length - done, word(part, 0) - start);
    const row = word(part, 4);
    const column = word(part, 5);
    const from =
      address(part, 1) + <usize>((batch * word(part, 2) + head * word(part, 3) + start * row) << 2);
    if (count == length && column == 1 && dim == width) {
      rowStep = row;
      return from;
    }
    gatherRows(from, row, column, count, dim, width, scratch + ((<usize>(done * width)) << 2));
    done += count;
    start = 0;
    part += PART << 2;
  }
  rowStep = width;
  return scratch;
}

/** Copies rows to rows of `width`, zeros beyond `dim`. */
function gatherRows(from: usize, row: i32, column: i32, count: i32, dim: i32, width: i32, to: usize): void {
  for (let r = 0; r < count; r++) {
    const source = from + ((<usize>r * <usize>row) << 2);
    const target = to + ((<usize>r * <usize>width) << 2);
    for (let d = 0; d < width; d++) {
      store<f32>(target + (<usize>d << 2), d < dim ? load<f32>(source + ((<usize>d * <usize>column) << 2)) : 0);
    }
  }
}
