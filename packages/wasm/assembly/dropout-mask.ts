// The mask of dropout of attention weights, for a strip at a time. The first word of a Philox block with the counter (key, query, head,
// batch) decides. The products of the first two rounds and one of the third depend only on the key or only on the query. The first
// word needs one product of the last round, and one and a half (its lower half) of the previous one. So 13.5 of 20 products are
// computed for each number.
import { SIGN_BIT, highHalves, M0, M1, multipliers, ROUND_KEY_BYTES, roundKeys } from "./philox";
import { ROW } from "./strip";

/**
 * Writes the product of the second round that depends on the query, for each query of a tile: upper halves in one row, lower halves
 * in the next.
 *
 * @param head - Register with the head.
 * @param query - Register with the positions of the queries.
 */
export function dropoutQueries(to: usize, head: usize, query: usize, k0: i32): void {
  const m0 = v128.load(multipliers);
  const fromHead = i32x4.splat((<i32>(product(M1, word(head)) >>> 32)) ^ k0);
  for (let i: usize = 0; i < ROW; i += 16) {
    const c0 = v128.xor(i32x4.trunc_sat_f32x4_s(v128.load(query + i)), fromHead);
    v128.store(to + i, highHalves(m0, c0));
    v128.store(to + i, i32x4.mul(m0, c0), ROW);
  }
}

/**
 * Writes `factor`, or 0 where the first word is below `threshold`. The rounds of two vectors of queries are interleaved.
 *
 * @param batch - Register with the batch; `head`: with the head.
 * @param queries - Register with the results of `dropoutQueries`. The keys of the rounds are written after its two rows.
 * @param keys - Register with the positions of the keys, one key per row.
 */
export function dropoutMask(
  to: usize,
  batch: usize,
  head: usize,
  queries: usize,
  keys: usize,
  k0: i32,
  k1: i32,
  threshold: i32,
  factor: f32,
  rows: i32,
  bytes: usize,
): void {
  const roundKeysAt = queries + 2 * ROW;
  roundKeys(k0, k1, roundKeysAt);
  const round2 = roundKeysAt + ROUND_KEY_BYTES;
  const round3 = round2 + ROUND_KEY_BYTES;
  const round4 = round3 + ROUND_KEY_BYTES;
  const round9 = roundKeysAt + 8 * ROUND_KEY_BYTES;
  const m0 = v128.load(multipliers);
  const m1 = v128.load(multipliers, 16);
  const bound = i32x4.splat(threshold ^ SIGN_BIT);
  const scales = f32x4.splat(factor);
  const headProduct = <u32>product(M1, word(head));
  const lastKey = v128.xor(v128.load(round9, ROUND_KEY_BYTES), i32x4.splat(SIGN_BIT));
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    const first = product(M0, word(keys + r));
    const second = product(M1, (<u32>(first >>> 32)) ^ word(batch) ^ k1);
    const third = product(M0, (<u32>(second >>> 32)) ^ headProduct ^ load<u32>(round2));
    const a = i32x4.splat((<u32>first) ^ load<u32>(round2, 16));
    const b = i32x4.splat((<u32>second) ^ load<u32>(round3));
    const c = i32x4.splat((<u32>(third >>> 32)) ^ load<u32>(round3, 16));
    const d = i32x4.splat(<u32>third);
    for (let i: usize = 0; i < bytes; i += 32) {
      const x = v128.xor(v128.load(queries + i), a);
      const y = v128.xor(v128.load(queries + i, 16), a);
      let x0 = v128.xor(highHalves(m1, x), b);
      let y0 = v128.xor(highHalves(m1, y), b);
      let x1 = i32x4.mul(m1, x);
      let y1 = i32x4.mul(m1, y);
      let x2 = v128.xor(v128.load(queries + i, ROW), c);
      let y2 = v128.xor(v128.load(queries + i, ROW + 16), c);
      let x3 = d;
      let y3 = d;
      for (let round = round4; round < round9; round += ROUND_KEY_BYTES) {
        const key = v128.load(round);
        const xh = highHalves(m0, x0);
        const yh = highHalves(m0, y0);
        const xl = i32x4.mul(m0, x0);
        const yl = i32x4.mul(m0, y0);
        x0 = v128.xor(highHalves(m1, x2), v128.xor(x1, key));
        y0 = v128.xor(highHalves(m1, y2), v128.xor(y1, key));
        x1 = i32x4.mul(m1, x2);
        y1 = i32x4.mul(m1, y2);
        const other = v128.load(round, 16);
        x2 = v128.xor(xh, v128.xor(x3, other));
        y2 = v128.xor(yh, v128.xor(y3, other));
        x3 = xl;
        y3 = yl;
      }
      const key9 = v128.load(round9, 16);
      x1 = v128.xor(i32x4.mul(m1, x2), lastKey);
      y1 = v128.xor(i32x4.mul(m1, y2), lastKey);
      x2 = v128.xor(highHalves(m0, x0), v128.xor(x3, key9));
      y2 = v128.xor(highHalves(m0, y0), v128.xor(y3, key9));
      const xWord = v128.xor(highHalves(m1, x2), x1);
      const yWord = v128.xor(highHalves(m1, y2), y1);
      v128.store(to + r + i, v128.andnot(scales, i32x4.lt_s(xWord, bound)));
      v128.store(to + r + i, v128.andnot(scales, i32x4.lt_s(yWord, bound)), 16);
    }
  }
}

@inline
function product(a: u32, b: u32): u64 {
  return <u64>a * <u64>b;
}

/** An integer, read from the first float of a register. */
@inline
function word(at: usize): u32 {
  return <u32>(<i32>load<f32>(at));
}
