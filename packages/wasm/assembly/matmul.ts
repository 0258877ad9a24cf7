// c[M × N] = a[M × K] · b[K × N], for operands of any strides (in elements) that are packed block by block. A large product has two
// passes for each part of the summed axis: `packColumns` packs b once for all threads, then each work item of `multiply` packs some
// rows of a and multiplies them by some columns. Each small product of a batch is one item. An operand that is multiplied by few
// rows or columns is read in place, because packing it would take as long as the products.
import { load1, load4 } from "./half-floats";
import { PACKED_COLUMNS } from "./layout";
import { product4, product6, score4, score6 } from "./micro-kernels";
import { ROW } from "./tile";
import { storeTransposed, storeTransposedAs } from "./transpose";

/** Rows of a block whose accumulators fit in 16 registers; with a fused multiply-add, more registers are free. */
export const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
/** Length of the summed axis, and rows of `a`, that are packed at a time: they fit in the L2 cache of a core. */
const DEPTH: i32 = 512;
const HEIGHT: i32 = 96;
/** Panels of 8 columns that an item of `packColumns` packs. */
const GROUP: i32 = PACKED_COLUMNS / 8;
/** Largest number of panels of b for which contiguous rows of a are read in place. */
const NARROW: i32 = 4;

/** Rows of the next strip if `height` rows are left: 6 or 4, so that few of them are padding. */
@inline
function stripHeight(height: i32): i32 {
  return ROWS == 6 && (height > 8 || height == 6 || height == 5) ? 6 : 4;
}

/** Bytes of scratch memory of a thread for `height` packed rows, a multiple of 12, of length `k`. */
export function multiplyScratch(height: i32, k: i32): i32 {
  return ((height * k) << 2) + ROWS * <i32>ROW;
}

/** Bytes of scratch memory of `matmul`. */
export function matmulScratch(N: i32, K: i32): i32 {
  const depth = min(K, DEPTH);
  return multiplyScratch(HEIGHT, depth) + ((((N + 7) & ~7) * depth) << 2);
}

/** A work item is one whole product. `offsets` has the offsets of a and b of each product, in elements. */
export function matmul(
  item: i32,
  scratch: usize,
  a: usize,
  b: usize,
  c: usize,
  offsets: usize,
  aRow: i32,
  aColumn: i32,
  bRow: i32,
  bColumn: i32,
  M: i32,
  N: i32,
  K: i32,
): void {
  offsets += (<usize>item) << 3;
  a += (<usize>load<u32>(offsets)) << 2;
  b += (<usize>load<u32>(offsets, 4)) << 2;
  c += (<usize>(item * M * N)) << 2;
  const panels = (N + 7) >> 3;
  const packed = scratch + <usize>multiplyScratch(HEIGHT, min(K, DEPTH));
  for (let k0 = 0; k0 < K; k0 += DEPTH) {
    const k = min(DEPTH, K - k0);
    const right = b + ((<usize>(k0 * bRow)) << 2);
    for (let p = 0; p < panels; p++) packPanel<f32>(right, bRow, bColumn, N, k, p, packed);
    for (let m = 0; m < M; m += HEIGHT) {
      const left = a + ((<usize>(m * aRow + k0 * aColumn)) << 2);
      block(
        left,
        aRow,
        aColumn,
        min(HEIGHT, M - m),
        packed,
        0,
        panels,
        c + ((<usize>(m * N)) << 2),
        N,
        N,
        k,
        k0 > 0,
        scratch,
        (<usize>k) << 5,
        32,
      );
    }
  }
}

/** Packs `k` rows of b. A work item is GROUP panels of 8 columns, each [k][8]. */
export function packColumns(
  item: i32,
  scratch: usize,
  b: usize,
  bRow: i32,
  bColumn: i32,
  N: i32,
  k: i32,
  packed: usize,
): void {
  const end = min((item + 1) * GROUP, (N + 7) >> 3);
  for (let p = item * GROUP; p < end; p++) packPanel<f32>(b, bRow, bColumn, N, k, p, packed);
}

/** `packColumns` for a matrix in bfloat16, or in float16 if `isFloat16` is 1. */
export function packHalfColumns(
  item: i32,
  scratch: usize,
  b: usize,
  bRow: i32,
  bColumn: i32,
  N: i32,
  k: i32,
  packed: usize,
  isFloat16: i32,
): void {
  const end = min((item + 1) * GROUP, (N + 7) >> 3);
  for (let p = item * GROUP; p < end; p++) {
    if (isFloat16) packPanel<i16>(b, bRow, bColumn, N, k, p, packed);
    else packPanel<u16>(b, bRow, bColumn, N, k, p, packed);
  }
}

/**
 * A work item multiplies `height` rows of a by `width` panels of b, and adds the product to c if `add` is 1. Panels are `panelStride` bytes
 * apart, their rows `step` bytes: those of `packColumns`, or b in place.
 */
export function multiply(
  item: i32,
  scratch: usize,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  c: usize,
  cRow: i32,
  M: i32,
  N: i32,
  k: i32,
  height: i32,
  width: i32,
  add: i32,
  panelStride: usize,
  step: usize,
): void {
  const panels = (N + 7) >> 3;
  const itemsAcross = (panels + width - 1) / width;
  const m = (item / itemsAcross) * height;
  const p = (item % itemsAcross) * width;
  block(
    a + ((<usize>(m * aRow)) << 2),
    aRow,
    aColumn,
    min(height, M - m),
    b,
    p,
    min(p + width, panels),
    c + ((<usize>(m * cRow)) << 2),
    cRow,
    N,
    k,
    add != 0,
    scratch,
    panelStride,
    step,
  );
}

/** Multiplies `height` rows of a by panels `first` to `last - 1`. Rows of a are packed, unless they are contiguous and panels few. */
function block(
  a: usize,
  aRow: i32,
  aColumn: i32,
  height: i32,
  b: usize,
  first: i32,
  last: i32,
  c: usize,
  cRow: i32,
  N: i32,
  k: i32,
  add: bool,
  scratch: usize,
  panelStride: usize,
  step: usize,
): void {
  const edgeSums = scratch;
  const packedA = scratch + <usize>ROWS * ROW;
  const narrow = aColumn == 1 && step == 32 && last - first <= NARROW;
  for (let m = 0, strip = stripHeight(height); m < height; m += strip, strip = stripHeight(height - m)) {
    if (narrow && height - m >= strip) continue;
    const from = a + ((<usize>(m * aRow)) << 2);
    packRows(from, aRow, aColumn, min(strip, height - m), k, packedA + ((<usize>(m * k)) << 2), strip);
  }
  for (let p = first; p < last; p++) {
    const panel = b + <usize>p * panelStride;
    const width = min(8, N - (p << 3));
    for (let m = 0, strip = stripHeight(height); m < height; m += strip, strip = stripHeight(height - m)) {
      const rows = min(strip, height - m);
      const left = packedA + ((<usize>(m * k)) << 2);
      const to = c + ((<usize>(m * cRow + (p << 3))) << 2);
      if (narrow && rows == strip) {
        const from = a + ((<usize>(m * aRow)) << 2);
        if (ASC_FEATURE_RELAXED_SIMD && strip == 6) score6(from, (<usize>aRow) << 2, panel, k, edgeSums);
        else score4(from, (<usize>aRow) << 2, panel, k, edgeSums);
        storeSums(edgeSums, ROW, rows, width, to, cRow, add);
      } else if (rows == strip && width == 8) {
        multiplyStrip(left, panel, k, to, (<usize>cRow) << 2, add, strip, step);
      } else {
        multiplyStrip(left, panel, k, edgeSums, 32, false, strip, step);
        storeSums(edgeSums, 32, rows, width, to, cRow, add);
      }
    }
  }
}

/** Stores sums of `width` columns, whose rows are `panelStride` bytes apart, in c, or adds them to c. */
function storeSums(
  sums: usize,
  rowStride: usize,
  rows: i32,
  width: i32,
  c: usize,
  cRow: i32,
  add: bool,
): void {
  const bytes = (<usize>width) << 2;
  const vectors = bytes & ~15;
  for (let i = 0; i < rows; i++, sums += rowStride, c += (<usize>cRow) << 2) {
    let j: usize = 0;
    for (; j < vectors; j += 16) {
      const value = v128.load(sums + j);
      v128.store(c + j, add ? f32x4.add(v128.load(c + j), value) : value);
    }
    for (; j < bytes; j += 4) {
      const value = load<f32>(sums + j);
      store<f32>(c + j, add ? load<f32>(c + j) + value : value);
    }
  }
}

/** Multiplies a packed strip of `strip` rows by a panel of 8 columns, whose rows are `step` bytes apart. */
@inline
export function multiplyStrip(
  a: usize,
  b: usize,
  k: i32,
  c: usize,
  stride: usize,
  add: bool,
  strip: i32 = ROWS,
  step: usize = 32,
): void {
  if (ASC_FEATURE_RELAXED_SIMD && strip == 6) product6(a, b, step, k, c, stride, add);
  else product4(a, b, step, k, c, stride, add);
}

/** Packs panel `p` of b: eight columns as [k][8], padded with zeros. */
function packPanel<T>(b: usize, row: i32, column: i32, N: i32, k: i32, p: i32, packed: usize): void {
  let from = b + <usize>(p << 3) * <usize>column * sizeof<T>();
  let to = packed + ((<usize>(p * k)) << 5);
  const width = min(8, N - (p << 3));
  const step = <usize>row * sizeof<T>();
  const columnStride = <usize>column * sizeof<T>();
  let i = 0;
  if (width == 8 && column == 1) {
    for (; i < k; i++) {
      v128.store(to, load4<T>(from));
      v128.store(to, load4<T>(from + 4 * sizeof<T>()), 16);
      from += step;
      to += 32;
    }
    return;
  }
  if (width == 8 && row == 1) {
    const fourColumns = columnStride << 2;
    for (; i + 4 <= k; i += 4) {
      storeTransposedAs<T>(from, columnStride, to, 32);
      storeTransposedAs<T>(from + fourColumns, columnStride, to + 16, 32);
      from += 4 * sizeof<T>();
      to += 128;
    }
  }
  for (; i < k; i++) {
    let source = from;
    for (let j = 0; j < 8; j++) {
      store<f32>(to + ((<usize>j) << 2), j < width ? load1<T>(source) : 0);
      if (j + 1 < width) source += columnStride;
    }
    from += step;
    to += 32;
  }
}

/** Packs a strip of 6 or 4 rows as [k][strip], padded with zeros. */
export function packRows(
  from: usize,
  row: i32,
  column: i32,
  height: i32,
  k: i32,
  to: usize,
  strip: i32 = ROWS,
): void {
  const step = (<usize>column) << 2;
  const rowStride = (<usize>row) << 2;
  let i = 0;
  if (height == strip && row == 1) {
    for (; i < k; i++) {
      v128.store(to, v128.load(from));
      if (strip == 6) store<u64>(to, load<u64>(from, 16), 16);
      from += step;
      to += (<usize>strip) << 2;
    }
    return;
  }
  if (height == strip && column == 1) {
    for (; i + 4 <= k; i += 4) {
      storeTransposed(from, rowStride, to, (<usize>strip) << 2);
      if (strip == 6) {
        const r4 = v128.load(from + (rowStride << 2));
        const r5 = v128.load(from + (rowStride << 2) + rowStride);
        const low = v128.shuffle<f32>(r4, r5, 0, 4, 1, 5);
        const high = v128.shuffle<f32>(r4, r5, 2, 6, 3, 7);
        v128.store64_lane(to, low, 0, 16);
        v128.store64_lane(to, low, 1, 40);
        v128.store64_lane(to, high, 0, 64);
        v128.store64_lane(to, high, 1, 88);
      }
      from += 16;
      to += (<usize>strip) << 4;
    }
  }
  for (; i < k; i++) {
    let source = from;
    for (let r = 0; r < strip; r++) {
      store<f32>(to + ((<usize>r) << 2), r < height ? load<f32>(source) : 0);
      if (r + 1 < height) source += rowStride;
    }
    from += step;
    to += (<usize>strip) << 2;
  }
}
