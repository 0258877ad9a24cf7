// c[N] = x[K] · b, one row times a matrix (gemv), which is read once.
import { load1, load4 } from "./half-floats";
import { fma, sumLanes, zero } from "./lanes";

/**
 * For contiguous columns of b (a weight [N, K], transposed). A work item is `step` columns of each quarter of the matrix; the last
 * one also has the remaining columns. `interleaved` reads four columns at once, one of each quarter; otherwise columns are read one
 * after the other: some processors read several streams faster, others slower, see docs/decisions/0008-read-patterns.md. Both sum
 * in the same order. The vector at `bias` is added, unless the address is 0.
 */
export function rowTimesColumns(
  item: i32,
  scratch: usize,
  x: usize,
  b: usize,
  bColumn: i32,
  c: usize,
  N: i32,
  K: i32,
  step: i32,
  bias: usize,
  interleaved: i32,
): void {
  columns<f32>(item, x, b, bColumn, c, N, K, step, bias, interleaved);
}

/** `rowTimesColumns` for a matrix in bfloat16, or in float16 if `isFloat16` is 1. */
export function rowTimesHalfColumns(
  item: i32,
  scratch: usize,
  x: usize,
  b: usize,
  bColumn: i32,
  c: usize,
  N: i32,
  K: i32,
  step: i32,
  bias: usize,
  interleaved: i32,
  isFloat16: i32,
): void {
  if (isFloat16) columns<i16>(item, x, b, bColumn, c, N, K, step, bias, interleaved);
  else columns<u16>(item, x, b, bColumn, c, N, K, step, bias, interleaved);
}

function columns<T>(
  item: i32,
  x: usize,
  b: usize,
  bColumn: i32,
  c: usize,
  N: i32,
  K: i32,
  step: i32,
  bias: usize,
  interleaved: i32,
): void {
  const quarter = N >> 2;
  const first = item * step;
  const end = min(quarter, first + step);
  if (interleaved) {
    for (let n = first; n < end; n++) fourColumns<T>(x, b, bColumn, c, n, quarter, K, bias);
  } else {
    for (let n = 4 * first; n < 4 * end; n++) oneColumn<T>(x, b, bColumn, c, n, K, bias);
  }
  if (end < quarter) return;
  for (let n = 4 * quarter; n < N; n++) oneColumn<T>(x, b, bColumn, c, n, K, bias);
}

/** Columns n, n + apart, n + 2 · apart and n + 3 · apart. */
@inline
function fourColumns<T>(
  x: usize,
  b: usize,
  bColumn: i32,
  c: usize,
  n: i32,
  distance: i32,
  K: i32,
  bias: usize,
): void {
  const columnStride = <usize>bColumn * sizeof<T>();
  // Bytes of eight numbers of a column; those of x have 32.
  const eightBytes = 8 * sizeof<T>();
  const quarterStride = <usize>distance * columnStride;
  let p = b + <usize>n * columnStride;
  let q = p + quarterStride;
  let r = q + quarterStride;
  let u = r + quarterStride;
  let s0 = zero();
  let s1 = zero();
  let s2 = zero();
  let s3 = zero();
  let t0 = zero();
  let t1 = zero();
  let t2 = zero();
  let t3 = zero();
  const end = x + ((<usize>K) << 2);
  for (
    const whole = x + ((<usize>(K & ~7)) << 2);
    x < whole;
    x += 32, p += eightBytes, q += eightBytes, r += eightBytes, u += eightBytes
  ) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    s0 = fma(x0, load4<T>(p), s0);
    s1 = fma(x0, load4<T>(q), s1);
    s2 = fma(x0, load4<T>(r), s2);
    s3 = fma(x0, load4<T>(u), s3);
    t0 = fma(x1, load4<T>(p + 4 * sizeof<T>()), t0);
    t1 = fma(x1, load4<T>(q + 4 * sizeof<T>()), t1);
    t2 = fma(x1, load4<T>(r + 4 * sizeof<T>()), t2);
    t3 = fma(x1, load4<T>(u + 4 * sizeof<T>()), t3);
  }
  storeSum(finishColumn<T>(x, p, end, f32x4.add(s0, t0)), c, n, bias);
  storeSum(finishColumn<T>(x, q, end, f32x4.add(s1, t1)), c, n + distance, bias);
  storeSum(finishColumn<T>(x, r, end, f32x4.add(s2, t2)), c, n + 2 * distance, bias);
  storeSum(finishColumn<T>(x, u, end, f32x4.add(s3, t3)), c, n + 3 * distance, bias);
}

/** One column, with two independent sums, of even and of odd vectors, as in `fourColumns`. */
function oneColumn<T>(x: usize, b: usize, bColumn: i32, c: usize, n: i32, K: i32, bias: usize): void {
  let p = b + <usize>n * <usize>bColumn * sizeof<T>();
  let s = zero();
  let t = zero();
  const end = x + ((<usize>K) << 2);
  const vectorsEnd = x + ((<usize>(K & ~7)) << 2);
  // Two steps an iteration.
  for (const pairs = x + ((<usize>(K & ~15)) << 2); x < pairs; x += 64, p += 16 * sizeof<T>()) {
    s = fma(v128.load(x), load4<T>(p), s);
    t = fma(v128.load(x, 16), load4<T>(p + 4 * sizeof<T>()), t);
    s = fma(v128.load(x, 32), load4<T>(p + 8 * sizeof<T>()), s);
    t = fma(v128.load(x, 48), load4<T>(p + 12 * sizeof<T>()), t);
  }
  if (x < vectorsEnd) {
    s = fma(v128.load(x), load4<T>(p), s);
    t = fma(v128.load(x, 16), load4<T>(p + 4 * sizeof<T>()), t);
    x += 32;
    p += 8 * sizeof<T>();
  }
  storeSum(finishColumn<T>(x, p, end, f32x4.add(s, t)), c, n, bias);
}

/** The sum of a column: of its vectors, and of the remaining products from x and p on. */
@inline
function finishColumn<T>(x: usize, p: usize, end: usize, vectors: v128): f32 {
  let sum = sumLanes(vectors);
  for (; x < end; x += 4, p += sizeof<T>()) sum += load<f32>(x) * load1<T>(p);
  return sum;
}

@inline
function storeSum(sum: f32, c: usize, n: i32, bias: usize): void {
  const at = (<usize>n) << 2;
  store<f32>(c + at, bias ? sum + load<f32>(bias + at) : sum);
}

/**
 * For contiguous rows of b. A work item is `step` rows, whose sum is a row of `parts`. Four rows, each of another quarter of the item,
 * are added at a time. `interleaved` reads them together, and loads and stores the sums once for all four; otherwise they are read
 * one after the other. Both sum in the same order.
 */
export function rowTimesRows(
  item: i32,
  scratch: usize,
  x: usize,
  b: usize,
  bRow: i32,
  parts: usize,
  N: i32,
  K: i32,
  step: i32,
  interleaved: i32,
): void {
  const bytes = (<usize>N) << 2;
  const down = (<usize>bRow) << 2;
  const to = parts + <usize>item * bytes;
  const first = item * step;
  const rows = min(K, first + step) - first;
  const quarter = rows >> 2;
  memory.fill(to, 0, bytes);
  for (let k = first; k < first + quarter; k++) {
    if (interleaved) {
      addFour(x + ((<usize>k) << 2), quarter, b + <usize>k * down, down, to, bytes);
    } else {
      for (let q = k; q < k + 4 * quarter; q += quarter)
        addOne(x + ((<usize>q) << 2), b + <usize>q * down, to, bytes);
    }
  }
  for (let k = first + 4 * quarter; k < first + rows; k++)
    addOne(x + ((<usize>k) << 2), b + <usize>k * down, to, bytes);
}

/** Adds four rows, `distance` rows apart, each times its factor, to `bytes` bytes of sums. */
function addFour(factor: usize, distance: i32, p: usize, down: usize, to: usize, bytes: usize): void {
  const factorStride = (<usize>distance) << 2;
  const x0 = v128.load32_splat(factor);
  const x1 = v128.load32_splat(factor + factorStride);
  const x2 = v128.load32_splat(factor + 2 * factorStride);
  const x3 = v128.load32_splat(factor + 3 * factorStride);
  let q = p + <usize>distance * down;
  let r = q + <usize>distance * down;
  let u = r + <usize>distance * down;
  const end = to + bytes;
  for (const whole = to + (bytes & ~63); to < whole; to += 64, p += 64, q += 64, r += 64, u += 64) {
    let s0 = v128.load(to);
    let s1 = v128.load(to, 16);
    let s2 = v128.load(to, 32);
    let s3 = v128.load(to, 48);
    s0 = fma(x0, v128.load(p), s0);
    s1 = fma(x0, v128.load(p, 16), s1);
    s2 = fma(x0, v128.load(p, 32), s2);
    s3 = fma(x0, v128.load(p, 48), s3);
    s0 = fma(x1, v128.load(q), s0);
    s1 = fma(x1, v128.load(q, 16), s1);
    s2 = fma(x1, v128.load(q, 32), s2);
    s3 = fma(x1, v128.load(q, 48), s3);
    s0 = fma(x2, v128.load(r), s0);
    s1 = fma(x2, v128.load(r, 16), s1);
    s2 = fma(x2, v128.load(r, 32), s2);
    s3 = fma(x2, v128.load(r, 48), s3);
    s0 = fma(x3, v128.load(u), s0);
    s1 = fma(x3, v128.load(u, 16), s1);
    s2 = fma(x3, v128.load(u, 32), s2);
    s3 = fma(x3, v128.load(u, 48), s3);
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
  }
  const y0 = f32x4.extract_lane(x0, 0);
  const y1 = f32x4.extract_lane(x1, 0);
  const y2 = f32x4.extract_lane(x2, 0);
  const y3 = f32x4.extract_lane(x3, 0);
  for (; to < end; to += 4, p += 4, q += 4, r += 4, u += 4) {
    store<f32>(
      to,
      load<f32>(to) + y0 * load<f32>(p) + y1 * load<f32>(q) + y2 * load<f32>(r) + y3 * load<f32>(u),
    );
  }
}

/** Adds one row, times its factor. */
function addOne(factor: usize, p: usize, to: usize, bytes: usize): void {
  const x = v128.load32_splat(factor);
  const y = load<f32>(factor);
  const end = to + bytes;
  for (const whole = to + (bytes & ~63); to < whole; to += 64, p += 64) {
    const s0 = fma(x, v128.load(p), v128.load(to));
    const s1 = fma(x, v128.load(p, 16), v128.load(to, 16));
    const s2 = fma(x, v128.load(p, 32), v128.load(to, 32));
    const s3 = fma(x, v128.load(p, 48), v128.load(to, 48));
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
  }
  for (; to < end; to += 4, p += 4) store<f32>(to, load<f32>(to) + y * load<f32>(p));
}

/** c = the sum of `count` rows of N numbers, the partial sums. */
export function addParts(parts: usize, count: i32, N: i32, c: usize): void {
  const bytes = (<usize>N) << 2;
  memory.copy(c, parts, bytes);
  for (let n = 1; n < count; n++) {
    const part = parts + <usize>n * bytes;
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(c + i, f32x4.add(v128.load(c + i), v128.load(part + i)));
    for (; i < bytes; i += 4) store<f32>(c + i, load<f32>(c + i) + load<f32>(part + i));
  }
}
