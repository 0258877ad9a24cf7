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
  /** Position of each batch's first query. Positions of keys: a list (with the step from one batch to the next), or from the first on. */
  firstQueries: usize;
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
  /** Where decoding puts what each chunk of keys is worth. */
  partials: usize;
  /** Parts of keys follow, of values, and, for backward, of both gradients. */
  parts: i32;
}

/** The position of a batch's first query. */
@inline
export function firstQueryOf(request: Request, batch: i32): i32 {
  return load<i32>(request.firstQueries + (<usize>batch << 2));
}

@unmanaged
class Part {
  length: i32;
  pointer: usize;
  /** From one batch to the next, or, in blocks, from one block to the next. */
  batch: i32;
  head: i32;
  row: i32;
  column: i32;
  /** In blocks: the block of each stretch of `blockLength` tokens, `blocks` of them for a batch. 0: one tensor. */
  table: usize;
  blocks: i32;
  blockLength: i32;
  /** Whole numbers of a byte each, and what they are multiplied with; 0: float32. */
  scale: usize;
  scaleBlock: i32;
  scaleHead: i32;
  scaleRow: i32;
  scaleColumn: i32;
}
const PART: usize = 56;

/** The parts of keys (0), values (1), gradients of keys (2) or of values (3). */
@inline
export function partsOf(request: Request, which: i32): usize {
  return changetype<usize>(request) + offsetof<Request>() + <usize>(which * request.parts) * PART;
}

/** Numbers from one row to the next of the rows that `findRows` found last. */
export let rowStep: i32 = 0;

/**
 * Finds stored rows `start` to `start + length - 1` of one batch and head. Rows that do not lie as the kernels read them,
 * or that reach over two parts or blocks, are copied to `scratch`, `width` numbers a row, zeros beyond `dim`; and so are
 * whole numbers, times their scales.
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
    let count = min(length - done, part.length - start);
    let block = batch, row = start;
    if (part.table != 0) {
      const size = part.blockLength;
      block = load<i32>(part.table + (<usize>(batch * part.blocks + start / size) << 2));
      row = start % size;
      count = min(count, size - row);
    }
    const at = <usize>block * <usize>part.batch + <usize>(head * part.head) + <usize>row * <usize>part.row;
    const to = scratch + (<usize>(done * width) << 2);
    if (part.scale != 0) {
      scaleRows(part, part.pointer + at, block, head, row, count, dim, to, width);
    } else if (count == length && part.column == 1 && dim == width) {
      rowStep = part.row;
      return part.pointer + (at << 2);
    } else {
      copyRows(part.pointer + (at << 2), part.row, part.column, count, dim, to, width);
    }
    done += count;
    start += count;
    if (start == part.length) {
      start = 0;
      part = changetype<Part>(changetype<usize>(part) + PART);
    }
  }
  rowStep = width;
  return scratch;
}

/** Whole numbers of a byte, times their scales: one for each number of a row, or one for each row. */
function scaleRows(
  part: Part, from: usize, block: i32, head: i32, row: i32, count: i32, dim: i32, to: usize, width: i32,
): void {
  const scales = part.scale + (<usize>(block * part.scaleBlock + head * part.scaleHead + row * part.scaleRow) << 2);
  const inLanes = part.column == 1 && part.scaleColumn <= 1 ? dim & ~7 : 0;
  for (let r = 0; r < count; r++) {
    const source = from + <usize>(r * part.row);
    const scale = scales + (<usize>(r * part.scaleRow) << 2);
    const target = to + (<usize>(r * width) << 2);
    for (let d = 0; d < inLanes; d += 8) {
      const whole = v128.load8x8_s(source + d);
      const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(whole));
      const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(whole));
      const each = scale + (<usize>d << 2);
      const a = part.scaleColumn == 1 ? v128.load(each) : v128.load32_splat(scale);
      const b = part.scaleColumn == 1 ? v128.load(each, 16) : a;
      v128.store(target + (<usize>d << 2), f32x4.mul(low, a));
      v128.store(target + (<usize>d << 2), f32x4.mul(high, b), 16);
    }
    for (let d = inLanes; d < dim; d++) {
      const whole = <f32>load<i8>(source + d * part.column);
      store<f32>(target + (<usize>d << 2), whole * load<f32>(scale + (<usize>(d * part.scaleColumn) << 2)));
    }
    memory.fill(target + (<usize>dim << 2), 0, <usize>(width - dim) << 2);
  }
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
