// Rows of a packed matrix, one after the other.
import { exp4, largestOf, madd, sumOf, zero } from "./lanes";

/** Each row becomes e^(x - largest) / sum. */
export function softmaxRows(x: usize, y: usize, rows: i32, n: i32): void {
  const bytes = <usize>n << 2;
  const vectors = <usize>(n & ~3) << 2;
  for (let r = 0; r < rows; r++) {
    let top = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < vectors; i += 16) top = f32x4.max(top, v128.load(x + i));
    let largest = largestOf(top);
    for (let i = vectors; i < bytes; i += 4) largest = max<f32>(largest, load<f32>(x + i));
    const shift = f32x4.splat(largest);
    let sums = zero();
    for (let i: usize = 0; i < vectors; i += 16) {
      const power = exp4(f32x4.sub(v128.load(x + i), shift));
      v128.store(y + i, power);
      sums = f32x4.add(sums, power);
    }
    let sum = sumOf(sums);
    for (let i = vectors; i < bytes; i += 4) {
      const power = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x + i) - largest)), 0);
      store<f32>(y + i, power);
      sum += power;
    }
    const share = f32x4.splat(1 / sum);
    for (let i: usize = 0; i < vectors; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), share));
    for (let i = vectors; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
    x += bytes;
    y += bytes;
  }
}

/** x / √(mean x² + eps) · weight */
export function rmsNormRows(x: usize, weight: usize, y: usize, rows: i32, n: i32, eps: f32): void {
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
