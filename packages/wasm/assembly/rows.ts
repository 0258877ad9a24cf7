// Rows of a packed matrix, one after the other: an item is `step` of them.
import { exp4, largestOf, madd, power4, powerNumbers, sumOf, zero } from "./lanes";

/** Each row becomes e^(x - largest) / sum. */
export function softmaxRows(item: i32, scratch: usize, x: usize, y: usize, rows: i32, step: i32, n: i32): void {
  const from = (<usize>(item * step) * <usize>n) << 2;
  x += from;
  y += from;
  rows = min(step, rows - item * step);
  const at0 = powerNumbers;
  const scale = v128.load(at0), floor = v128.load(at0, 16), magic = v128.load(at0, 32);
  const c5 = v128.load(at0, 48), c4 = v128.load(at0, 64), c3 = v128.load(at0, 80);
  const c2 = v128.load(at0, 96), c1 = v128.load(at0, 112), c0 = v128.load(at0, 128);
  const bytes = <usize>n << 2;
  const vectors = <usize>(n & ~3) << 2;
  for (let r = 0; r < rows; r++) {
    let top = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < vectors; i += 16) top = f32x4.max(top, v128.load(x + i));
    let largest = largestOf(top);
    for (let i = vectors; i < bytes; i += 4) largest = max<f32>(largest, load<f32>(x + i));
    if (largest - largest != 0) {
      oddRow(x, y, largest, bytes);
    } else {
      const shift = f32x4.splat(largest);
      let sums = zero();
      for (let i: usize = 0; i < vectors; i += 16) {
        const power = power4(f32x4.sub(v128.load(x + i), shift), scale, floor, magic, c5, c4, c3, c2, c1, c0);
        v128.store(y + i, power);
        sums = f32x4.add(sums, power);
      }
      let sum = sumOf(sums);
      for (let i = vectors; i < bytes; i += 4) {
        const difference = f32x4.splat(load<f32>(x + i) - largest);
        const power = f32x4.extract_lane(power4(difference, scale, floor, magic, c5, c4, c3, c2, c1, c0), 0);
        store<f32>(y + i, power);
        sum += power;
      }
      const share = f32x4.splat(1 / sum);
      for (let i: usize = 0; i < vectors; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), share));
      for (let i = vectors; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
    }
    x += bytes;
    y += bytes;
  }
}

/** A row that holds NaN or infinity, or nothing but -infinity: number by number, so that each comes out as it must. */
function oddRow(x: usize, y: usize, largest: f32, bytes: usize): void {
  let sum: f32 = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const power = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x + i) - largest)), 0);
    store<f32>(y + i, power);
    sum += power;
  }
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
}

/** x / √(mean x² + eps) · weight */
export function rmsNormRows(
  item: i32, scratch: usize, x: usize, weight: usize, y: usize, rows: i32, step: i32, n: i32, eps: f32,
): void {
  const from = (<usize>(item * step) * <usize>n) << 2;
  x += from;
  y += from;
  rows = min(step, rows - item * step);
  const bytes = <usize>n << 2;
  const vectors = <usize>(n & ~3) << 2;
  for (let r = 0; r < rows; r++) {
    let squares = zero();
    for (let i: usize = 0; i < vectors; i += 16) {
      const v = v128.load(x + i);
      squares = madd(v, v, squares);
    }
    let sum = sumOf(squares);
    for (let i = vectors; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(x + i);
    const scale: f32 = 1 / sqrt<f32>(sum / <f32>n + eps);
    const splat = f32x4.splat(scale);
    for (let i: usize = 0; i < vectors; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), splat), v128.load(weight + i)));
    }
    for (let i = vectors; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * scale * load<f32>(weight + i));
    x += bytes;
    y += bytes;
  }
}
