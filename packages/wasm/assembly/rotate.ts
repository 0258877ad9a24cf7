// Rotary positions: rotates pairs of numbers of each head by given angles.

@unmanaged
class Rotation {
  heads: i32;
  length: i32;
  dim: i32;
  /** Number of rotated pairs. */
  half: i32;
  /** True if a pair is two adjacent numbers (interleaved layout), false if it has one number of each half. */
  interleaved: i32;
  /** 1, or -1 for the inverse rotation. */
  sign: f32;
  x: usize;
  batchStep: i32;
  headStep: i32;
  rowStep: i32;
  step: i32;
  cos: usize;
  cosBatch: i32;
  cosRow: i32;
  cosStep: i32;
  sin: usize;
  sinBatch: i32;
  sinRow: i32;
  sinStep: i32;
  y: usize;
  /** Rows per work item, and rows in total. */
  rows: i32;
  totalRows: i32;
}

export function rotate(item: i32, scratch: usize, at: usize): void {
  const r = changetype<Rotation>(at);
  const last = min(r.totalRows, (item + 1) * r.rows);
  for (let row = item * r.rows; row < last; row++) {
    const t = row % r.length;
    const batchHead = row / r.length;
    const batch = batchHead / r.heads;
    const head = batchHead % r.heads;
    const x = r.x + ((<usize>(batch * r.batchStep + head * r.headStep + t * r.rowStep)) << 2);
    const cos = r.cos + ((<usize>(batch * r.cosBatch + t * r.cosRow)) << 2);
    const sin = r.sin + ((<usize>(batch * r.sinBatch + t * r.sinRow)) << 2);
    const y = r.y + ((<usize>row * <usize>r.dim) << 2);
    const inLanes = r.step == 1 && r.cosStep == 1 && r.sinStep == 1 ? r.half & ~3 : 0;
    if (r.interleaved) rotateInterleaved(r, x, cos, sin, y, inLanes);
    else rotateHalves(r, x, cos, sin, y, inLanes);
    for (let d = 2 * r.half; d < r.dim; d++)
      store<f32>(y + ((<usize>d) << 2), load<f32>(x + ((<usize>(d * r.step)) << 2)));
  }
}

function rotateHalves(r: Rotation, x: usize, cos: usize, sin: usize, y: usize, inLanes: i32): void {
  const sign = f32x4.splat(r.sign);
  const half = (<usize>r.half) << 2;
  for (let i: usize = 0; i < (<usize>inLanes) << 2; i += 16) {
    const a = v128.load(x + i);
    const z = v128.load(x + half + i);
    const c = v128.load(cos + i);
    const s = f32x4.mul(sign, v128.load(sin + i));
    v128.store(y + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(z, s)));
    v128.store(y + half + i, f32x4.add(f32x4.mul(z, c), f32x4.mul(a, s)));
  }
  for (let i = inLanes; i < r.half; i++) {
    rotatePair(
      r,
      x + ((<usize>(i * r.step)) << 2),
      x + ((<usize>((i + r.half) * r.step)) << 2),
      cos,
      sin,
      i,
      y + ((<usize>i) << 2),
      y + half + ((<usize>i) << 2),
    );
  }
}

function rotateInterleaved(r: Rotation, x: usize, cos: usize, sin: usize, y: usize, inLanes: i32): void {
  const sign = f32x4.splat(r.sign);
  for (let i: usize = 0; i < (<usize>inLanes) << 2; i += 16) {
    const first = v128.load(x + 2 * i);
    const second = v128.load(x + 2 * i, 16);
    const a = v128.shuffle<i32>(first, second, 0, 2, 4, 6);
    const z = v128.shuffle<i32>(first, second, 1, 3, 5, 7);
    const c = v128.load(cos + i);
    const s = f32x4.mul(sign, v128.load(sin + i));
    const left = f32x4.sub(f32x4.mul(a, c), f32x4.mul(z, s));
    const right = f32x4.add(f32x4.mul(z, c), f32x4.mul(a, s));
    v128.store(y + 2 * i, v128.shuffle<i32>(left, right, 0, 4, 1, 5));
    v128.store(y + 2 * i, v128.shuffle<i32>(left, right, 2, 6, 3, 7), 16);
  }
  for (let i = inLanes; i < r.half; i++) {
    const at = x + ((<usize>(2 * i * r.step)) << 2);
    const to = y + ((<usize>i) << 3);
    rotatePair(r, at, at + ((<usize>r.step) << 2), cos, sin, i, to, to + 4);
  }
}

/** Rotates one pair. */
function rotatePair(
  r: Rotation,
  first: usize,
  second: usize,
  cos: usize,
  sin: usize,
  i: i32,
  left: usize,
  right: usize,
): void {
  const a = load<f32>(first);
  const z = load<f32>(second);
  const c = load<f32>(cos + ((<usize>(i * r.cosStep)) << 2));
  const s = r.sign * load<f32>(sin + ((<usize>(i * r.sinStep)) << 2));
  store<f32>(left, a * c - z * s);
  store<f32>(right, z * c + a * s);
}
