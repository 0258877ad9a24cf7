// What one call of attention is, as words in memory: written by src/kernels/attention-request.ts in the order below.
// Strides count numbers.

@unmanaged
export class Request {
  heads: i32;
  queries: i32;
  keys: i32;
  dim: i32;
  valueDim: i32;
  /** Query heads to a head of keys and values. */
  group: i32;
  scale: f32;
  /** 0: off. */
  softcap: f32;
  /** The plan: tiles along queries and keys, steps from one batch and head to the next (0: the same), and its tables. */
  rows: i32;
  columns: i32;
  planBatch: i32;
  planHead: i32;
  classes: usize;
  bitsAt: usize;
  bits: usize;
  query: usize;
  queryBatch: i32;
  queryHead: i32;
  queryRow: i32;
  queryColumn: i32;
  output: usize;
  lse: usize;
  /** Programs, and sinks with the step from one to the next; 0: none. */
  scoreMod: usize;
  weightMod: usize;
  sinks: usize;
  sinkStep: i32;
  /** Position of the first query. Positions of keys: a list (with the step from one batch to the next), or from the first on. */
  firstQuery: i32;
  positions: usize;
  positionBatch: i32;
  firstKey: i32;
  /** What reached the output and the logarithms of the sums; 0: nothing. */
  dOutput: usize;
  dOutputBatch: i32;
  dOutputHead: i32;
  dOutputRow: i32;
  dOutputColumn: i32;
  dLse: usize;
  dLseBatch: i32;
  dLseHead: i32;
  dLseRow: i32;
  /** Where gradients go: of queries, packed; of sinks, one number for each batch and head. */
  dQuery: usize;
  dSinks: usize;
  /** float64 sums of the gradients of both programs' tables, and the step from one item's to the next's (0: shared). */
  dTables: usize;
  dTableStep: i32;
  /** Parts of keys follow, of values, and, for backward, of both gradients. */
  parts: i32;
}

@unmanaged
class Part {
  length: i32;
  pointer: usize;
  batch: i32;
  head: i32;
  row: i32;
  column: i32;
}
const PART: usize = 24;

/** The parts of keys (0), values (1), gradients of keys (2) or of values (3). */
@inline
export function partsOf(request: Request, which: i32): usize {
  return changetype<usize>(request) + offsetof<Request>() + <usize>(which * request.parts) * PART;
}

/** Numbers from one row to the next of the rows that `findRows` found last. */
export let rowStep: i32 = 0;

/**
 * Finds stored rows `start` to `start + length - 1` of one batch and head. Rows that do not lie as the kernels read them,
 * or that reach over two parts, are copied to `scratch`, `width` numbers a row, zeros beyond `dim`.
 *
 * @param parts - The first part.
 */
export function findRows(
  parts: usize,
  batch: i32,
  head: i32,
  start: i32,
  length: i32,
  dim: i32,
  width: i32,
  scratch: usize,
): usize {
  let part = changetype<Part>(parts);
  while (start >= part.length) {
    start -= part.length;
    part = changetype<Part>(changetype<usize>(part) + PART);
  }
  let done = 0;
  while (done < length) {
    const count = min(length - done, part.length - start);
    const from = part.pointer + (<usize>(batch * part.batch + head * part.head + start * part.row) << 2);
    if (count == length && part.column == 1 && dim == width) {
      rowStep = part.row;
      return from;
    }
    copyRows(from, part.row, part.column, count, dim, scratch + (<usize>(done * width) << 2), width);
    done += count;
    start = 0;
    part = changetype<Part>(changetype<usize>(part) + PART);
  }
  rowStep = width;
  return scratch;
}

/** Writes all rows of one batch and head, packed in `from` as rows of `width`, to packed parts. */
export function writeRows(parts: usize, batch: i32, head: i32, rows: i32, dim: i32, width: i32, from: usize): void {
  for (let done = 0; done < rows; parts += PART) {
    const part = changetype<Part>(parts);
    const to = part.pointer + (<usize>(batch * part.batch + head * part.head) << 2);
    for (let r = 0; r < part.length; r++) {
      memory.copy(to + (<usize>(r * dim) << 2), from + (<usize>((done + r) * width) << 2), <usize>dim << 2);
    }
    done += part.length;
  }
}

/** Copies rows to rows of `width`, zeros beyond `dim`. */
export function copyRows(from: usize, row: i32, column: i32, count: i32, dim: i32, to: usize, width: i32): void {
  for (let r = 0; r < count; r++) {
    const source = from + (<usize>(r * row) << 2);
    const target = to + (<usize>(r * width) << 2);
    if (column == 1) {
      memory.copy(target, source, <usize>dim << 2);
    } else {
      for (let d = 0; d < dim; d++) store<f32>(target + (<usize>d << 2), load<f32>(source + (<usize>(d * column) << 2)));
    }
    memory.fill(target + (<usize>dim << 2), 0, <usize>(width - dim) << 2);
  }
}
