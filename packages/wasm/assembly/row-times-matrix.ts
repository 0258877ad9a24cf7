// c[N] = x[K] · b, one row against a matrix: the matrix streams past once. An item is `step` columns.
import { madd, sumOf, zero } from "./lanes";

/**
 * Each column of b lies in one piece (a weight [N, K] read the other way round). One is read to its end before the next
 * begins, by one loop: what is fetched ahead then comes nearly twice as fast as from four columns at a time.
 */
export function rowTimesColumns(
  item: i32, scratch: usize, x: usize, b: usize, bColumn: i32, c: usize, N: i32, K: i32, step: i32,
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
    store<f32>(c + (<usize>n << 2), sum);
  }
}

/** Each row of b lies in one piece: four rows at a time are scaled by their numbers of x and added up. */
export function rowTimesRows(
  item: i32, scratch: usize, x: usize, b: usize, bRow: i32, c: usize, N: i32, K: i32, step: i32,
): void {
  const from = item * step;
  const width = <usize>min(step, N - from) << 2;
  const vectors = width & ~15;
  const down = <usize>bRow << 2;
  c += <usize>from << 2;
  let row = b + (<usize>from << 2);
  memory.fill(c, 0, width);
  let k = 0;
  for (; k + 4 <= K; k += 4) {
    const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
    const r1 = row + down, r2 = r1 + down, r3 = r2 + down;
    for (let i: usize = 0; i < vectors; i += 16) {
      let sum = madd(x0, v128.load(row + i), v128.load(c + i));
      sum = madd(x1, v128.load(r1 + i), sum);
      sum = madd(x2, v128.load(r2 + i), sum);
      v128.store(c + i, madd(x3, v128.load(r3 + i), sum));
    }
    for (let i = vectors; i < width; i += 4) {
      let sum = load<f32>(c + i);
      sum += load<f32>(x) * load<f32>(row + i);
      sum += load<f32>(x, 4) * load<f32>(r1 + i);
      sum += load<f32>(x, 8) * load<f32>(r2 + i);
      store<f32>(c + i, sum + load<f32>(x, 12) * load<f32>(r3 + i));
    }
    x += 16;
    row = r3 + down;
  }
  for (; k < K; k++) {
    const splat = v128.load32_splat(x);
    for (let i: usize = 0; i < vectors; i += 16) v128.store(c + i, madd(splat, v128.load(row + i), v128.load(c + i)));
    for (let i = vectors; i < width; i += 4) store<f32>(c + i, load<f32>(c + i) + load<f32>(x) * load<f32>(row + i));
    x += 4;
    row += down;
  }
}
