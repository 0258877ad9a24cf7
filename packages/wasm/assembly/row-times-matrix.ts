// c[N] = x[K] · b, one row against a matrix: the matrix streams past once.
import { madd, sumOf, zero } from "./lanes";

/**
 * Each column of b lies in one piece (a weight [N, K] read the other way round). One is read to its end before the next
 * begins, by one loop: what is fetched ahead then comes nearly twice as fast as from four columns at a time.
 * An item is `step` columns. What is at `bias`, unless that is 0, is added.
 */
export function rowTimesColumns(
  item: i32, scratch: usize, x: usize, b: usize, bColumn: i32, c: usize, N: i32, K: i32, step: i32,
  bias: usize,
): void {
  const across = <usize>bColumn << 2;
  const vectors = <usize>(K & ~3) << 2;
  const bytes = <usize>K << 2;
  const end = min(N, (item + 1) * step);
  for (let n = item * step; n < end; n++) {
    const column = b + <usize>n * across;
    let s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
    let i: usize = 0;
    for (; i + 64 <= vectors; i += 64) {
      s0 = madd(v128.load(x + i), v128.load(column + i), s0);
      s1 = madd(v128.load(x + i, 16), v128.load(column + i, 16), s1);
      s2 = madd(v128.load(x + i, 32), v128.load(column + i, 32), s2);
      s3 = madd(v128.load(x + i, 48), v128.load(column + i, 48), s3);
    }
    for (; i < vectors; i += 16) s0 = madd(v128.load(x + i), v128.load(column + i), s0);
    let sum = sumOf(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    for (; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(column + i);
    const at = <usize>n << 2;
    store<f32>(c + at, bias ? sum + load<f32>(bias + at) : sum);
  }
}

/** Bytes of rows that are fetched at a time, and most rows: they stay in a core's own cache until they are used. */
const FETCHED: i32 = 524288;
const ROWS: i32 = 16;
/** Bytes of a strip of columns, whose sums stay in registers. */
const STRIP: usize = 128;

/**
 * Each row of b lies in one piece. An item is `step` rows, whose sum is a row of `parts`. Memory is fast only where it is
 * read in order, and summing goes down columns: so some rows are fetched first, with nothing else done.
 */
export function rowTimesRows(
  item: i32, scratch: usize, x: usize, b: usize, bRow: i32, parts: usize, N: i32, K: i32, step: i32,
): void {
  const bytes = <usize>N << 2;
  const down = <usize>bRow << 2;
  const to = parts + <usize>item * bytes;
  const end = min(K, (item + 1) * step);
  const most = min(ROWS, max(1, FETCHED / (N << 2)));
  memory.fill(to, 0, bytes);
  for (let k = item * step; k < end; k += most) {
    const rows = min(most, end - k);
    const row = b + <usize>k * down, factors = x + (<usize>k << 2);
    for (let r = 0; r < rows; r++) fetch(row + <usize>r * down, bytes, scratch);
    const whole = bytes & ~(STRIP - 1);
    addStrips(factors, rows, row, down, to, whole);
    let i = whole;
    for (; i + 16 <= bytes; i += 16) {
      let sum = v128.load(to + i);
      for (let r = 0; r < rows; r++) {
        sum = madd(v128.load32_splat(factors + (<usize>r << 2)), v128.load(row + <usize>r * down + i), sum);
      }
      v128.store(to + i, sum);
    }
    for (; i < bytes; i += 4) {
      let sum = load<f32>(to + i);
      for (let r = 0; r < rows; r++) sum += load<f32>(factors + (<usize>r << 2)) * load<f32>(row + <usize>r * down + i);
      store<f32>(to + i, sum);
    }
  }
}

/**
 * Reads one number of each line of 64 bytes, and does nothing else: so many lines are on their way at once that memory
 * answers as fast as it can, and what follows finds them in the core's own cache. Writes 4 bytes to `scratch`, so that no
 * compiler leaves the reading out.
 */
function fetch(from: usize, bytes: usize, scratch: usize): void {
  let a: u32 = 0, b: u32 = 0, c: u32 = 0, d: u32 = 0;
  const end = from + bytes;
  for (const last = from + (bytes & ~255); from < last; from += 256) {
    a |= load<u32>(from);
    b |= load<u32>(from, 64);
    c |= load<u32>(from, 128);
    d |= load<u32>(from, 192);
  }
  for (; from < end; from += 64) a |= load<u32>(from);
  store<u32>(scratch, a | b | c | d);
}

/** Adds some rows, each times its factor, to `bytes` bytes of sums, strip by strip. */
function addStrips(factors: usize, rows: i32, row: usize, down: usize, to: usize, bytes: usize): void {
  const last = factors + (<usize>rows << 2);
  for (const end = to + bytes; to < end; to += STRIP, row += STRIP) {
    let s0 = v128.load(to), s1 = v128.load(to, 16), s2 = v128.load(to, 32), s3 = v128.load(to, 48);
    let s4 = v128.load(to, 64), s5 = v128.load(to, 80), s6 = v128.load(to, 96), s7 = v128.load(to, 112);
    for (let factor = factors, at = row; factor < last; factor += 4, at += down) {
      const x = v128.load32_splat(factor);
      s0 = madd(x, v128.load(at), s0);
      s1 = madd(x, v128.load(at, 16), s1);
      s2 = madd(x, v128.load(at, 32), s2);
      s3 = madd(x, v128.load(at, 48), s3);
      s4 = madd(x, v128.load(at, 64), s4);
      s5 = madd(x, v128.load(at, 80), s5);
      s6 = madd(x, v128.load(at, 96), s6);
      s7 = madd(x, v128.load(at, 112), s7);
    }
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
    v128.store(to, s4, 64);
    v128.store(to, s5, 80);
    v128.store(to, s6, 96);
    v128.store(to, s7, 112);
  }
}

/** c = the sum of `count` rows of N numbers. */
export function addParts(parts: usize, count: i32, N: i32, c: usize): void {
  const bytes = <usize>N << 2;
  memory.copy(c, parts, bytes);
  for (let n = 1; n < count; n++) {
    const part = parts + <usize>n * bytes;
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(c + i, f32x4.add(v128.load(c + i), v128.load(part + i)));
    for (; i < bytes; i += 4) store<f32>(c + i, load<f32>(c + i) + load<f32>(part + i));
  }
}
