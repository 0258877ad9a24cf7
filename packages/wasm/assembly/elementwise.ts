// Packed numbers, four at a time: an item is a chunk of them. `n` counts numbers; what is left of the last four is done in a
// vector of its own.
import { exp4 } from "./lanes";

/** Numbers of a chunk: long enough that threads spend their time on numbers. The same in src/kernels/elementwise.ts. */
const CHUNK: i32 = 32768;

export function add(item: i32, scratch: usize, a: usize, b: usize, y: usize, n: i32): void {
  const from = <usize>item * CHUNK << 2;
  n = min(CHUNK, n - item * CHUNK);
  a += from; b += from; y += from;
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; a += 16, b += 16, y += 16) v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  for (let i = n & ~3; i < n; i++, a += 4, b += 4, y += 4) store<f32>(y, load<f32>(a) + load<f32>(b));
}

export function mul(item: i32, scratch: usize, a: usize, b: usize, y: usize, n: i32): void {
  const from = <usize>item * CHUNK << 2;
  n = min(CHUNK, n - item * CHUNK);
  a += from; b += from; y += from;
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; a += 16, b += 16, y += 16) v128.store(y, f32x4.mul(v128.load(a), v128.load(b)));
  for (let i = n & ~3; i < n; i++, a += 4, b += 4, y += 4) store<f32>(y, load<f32>(a) * load<f32>(b));
}

/** x / (1 + e^-x) */
@inline
function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

export function silu(item: i32, scratch: usize, x: usize, y: usize, n: i32): void {
  const from = <usize>item * CHUNK << 2;
  n = min(CHUNK, n - item * CHUNK);
  x += from; y += from;
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; x += 16, y += 16) v128.store(y, silu4(v128.load(x)));
  for (let i = n & ~3; i < n; i++, x += 4, y += 4) {
    store<f32>(y, f32x4.extract_lane(silu4(f32x4.splat(load<f32>(x))), 0));
  }
}

export function exp(item: i32, scratch: usize, x: usize, y: usize, n: i32): void {
  const from = <usize>item * CHUNK << 2;
  n = min(CHUNK, n - item * CHUNK);
  x += from; y += from;
  const end = y + (<usize>(n & ~3) << 2);
  for (; y < end; x += 16, y += 16) v128.store(y, exp4(v128.load(x)));
  for (let i = n & ~3; i < n; i++, x += 4, y += 4) {
    store<f32>(y, f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x))), 0));
  }
}
