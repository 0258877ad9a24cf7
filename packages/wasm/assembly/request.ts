// Reads the memory of an attention call.
import { AttentionRequest, KeyValueSegment } from "./layout";

/** The position of a batch's first query. */
@inline
export function firstQueryPosition(request: AttentionRequest, batch: i32): i32 {
  return load<i32>(request.firstQueries + ((<usize>batch) << 2));
}

const SEGMENT: usize = offsetof<KeyValueSegment>();

/** The segments of keys (0), values (1), gradients of keys (2) or of values (3). */
@inline
export function firstSegment(request: AttentionRequest, which: i32): usize {
  return (
    changetype<usize>(request) + offsetof<AttentionRequest>() + <usize>(which * request.segments) * SEGMENT
  );
}

/** Row stride, in elements, of the rows that the last call of `findRows` returned. */
export let rowStep: i32 = 0;

/**
 * Returns the address of stored rows `start` to `start + length - 1` of one batch and head. Rows are copied to `scratch`, `width`
 * numbers a row with zeros after `dim`, if they are not contiguous, span two segments or blocks, or are int8, which is
 * dequantized.
 *
 * @param segments - The first segment.
 */
export function findRows(
  segments: usize,
  batch: i32,
  head: i32,
  start: i32,
  length: i32,
  dim: i32,
  width: i32,
  scratch: usize,
): usize {
  let segment = changetype<KeyValueSegment>(segments);
  while (start >= segment.length) {
    start -= segment.length;
    segment = changetype<KeyValueSegment>(changetype<usize>(segment) + SEGMENT);
  }
  let done = 0;
  while (done < length) {
    let count = min(length - done, segment.length - start);
    let block = batch;
    let row = start;
    if (segment.table != 0) {
      const size = segment.blockLength;
      block = load<i32>(segment.table + ((<usize>(batch * segment.blocks + start / size)) << 2));
      row = start % size;
      count = min(count, size - row);
    }
    const at =
      <usize>block * <usize>segment.dataBatch +
      <usize>(head * segment.dataHead) +
      <usize>row * <usize>segment.dataRow;
    const to = scratch + ((<usize>(done * width)) << 2);
    if (segment.scale != 0) {
      scaleRows(segment, segment.data + at, block, head, row, count, dim, to, width);
    } else if (count == length && segment.dataColumn == 1 && dim == width) {
      rowStep = segment.dataRow;
      return segment.data + (at << 2);
    } else {
      copyRows(segment.data + (at << 2), segment.dataRow, segment.dataColumn, count, dim, to, width);
    }
    done += count;
    start += count;
    if (start == segment.length) {
      start = 0;
      segment = changetype<KeyValueSegment>(changetype<usize>(segment) + SEGMENT);
    }
  }
  rowStep = width;
  return scratch;
}

/** Dequantizes int8 rows, with a scale for each number of a row or one for each row. */
function scaleRows(
  segment: KeyValueSegment,
  from: usize,
  block: i32,
  head: i32,
  row: i32,
  count: i32,
  dim: i32,
  to: usize,
  width: i32,
): void {
  const scales =
    segment.scale +
    ((<usize>(block * segment.scaleBatch + head * segment.scaleHead + row * segment.scaleRow)) << 2);
  const inLanes = segment.dataColumn == 1 && segment.scaleColumn <= 1 ? dim & ~7 : 0;
  for (let r = 0; r < count; r++) {
    const source = from + <usize>(r * segment.dataRow);
    const scale = scales + ((<usize>(r * segment.scaleRow)) << 2);
    const target = to + ((<usize>(r * width)) << 2);
    for (let d = 0; d < inLanes; d += 8) {
      const quantized = v128.load8x8_s(source + d);
      const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(quantized));
      const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(quantized));
      const each = scale + ((<usize>d) << 2);
      const a = segment.scaleColumn == 1 ? v128.load(each) : v128.load32_splat(scale);
      const b = segment.scaleColumn == 1 ? v128.load(each, 16) : a;
      v128.store(target + ((<usize>d) << 2), f32x4.mul(low, a));
      v128.store(target + ((<usize>d) << 2), f32x4.mul(high, b), 16);
    }
    for (let d = inLanes; d < dim; d++) {
      const quantized = <f32>load<i8>(source + d * segment.dataColumn);
      store<f32>(
        target + ((<usize>d) << 2),
        quantized * load<f32>(scale + ((<usize>(d * segment.scaleColumn)) << 2)),
      );
    }
    memory.fill(target + ((<usize>dim) << 2), 0, (<usize>(width - dim)) << 2);
  }
}

/** Writes all rows of one batch and head, stored at `from` with `width` numbers per row, to contiguous segments. */
export function writeRows(
  segments: usize,
  batch: i32,
  head: i32,
  rows: i32,
  dim: i32,
  width: i32,
  from: usize,
): void {
  for (let done = 0; done < rows; segments += SEGMENT) {
    const segment = changetype<KeyValueSegment>(segments);
    const to = segment.data + ((<usize>(batch * segment.dataBatch + head * segment.dataHead)) << 2);
    for (let r = 0; r < segment.length; r++) {
      memory.copy(
        to + ((<usize>(r * dim)) << 2),
        from + ((<usize>((done + r) * width)) << 2),
        (<usize>dim) << 2,
      );
    }
    done += segment.length;
  }
}

/** Copies rows of `dim` numbers to rows of `width` numbers, padded with zeros. */
export function copyRows(
  from: usize,
  row: i32,
  column: i32,
  count: i32,
  dim: i32,
  to: usize,
  width: i32,
): void {
  for (let r = 0; r < count; r++) {
    const source = from + ((<usize>(r * row)) << 2);
    const target = to + ((<usize>(r * width)) << 2);
    if (column == 1) {
      memory.copy(target, source, (<usize>dim) << 2);
    } else {
      for (let d = 0; d < dim; d++)
        store<f32>(target + ((<usize>d) << 2), load<f32>(source + ((<usize>(d * column)) << 2)));
    }
    memory.fill(target + ((<usize>dim) << 2), 0, (<usize>(width - dim)) << 2);
  }
}
