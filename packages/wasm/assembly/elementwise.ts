// Elementwise functions over tensors of any strides. A work item is some rows of the innermost axis, or a part of one.
import { BLOCK_BYTES, StridedLoop, LoopAxis } from "./layout";
import { binaryVectors, unaryVectors } from "./micro-kernels";

/** Offset of the item's row in each input, in elements. */
let aAt: i32 = 0;
let bAt: i32 = 0;
let cAt: i32 = 0;

function locateRow(loop: StridedLoop, row: i32, from: i32): void {
  aAt = from * loop.aStep;
  bAt = from * loop.bStep;
  cAt = from * loop.cStep;
  let at = changetype<usize>(loop) + offsetof<StridedLoop>();
  for (let k = 0; k < loop.rank; k++, at += offsetof<LoopAxis>()) {
    const axis = changetype<LoopAxis>(at);
    const length = <u32>axis.length;
    const index = <i32>(<u32>row % length);
    row = <i32>(<u32>row / length);
    aAt += index * axis.aStep;
    bAt += index * axis.bStep;
    cAt += index * axis.cStep;
  }
}

/** Address of `n` contiguous numbers that can be read in full vectors: in place, or copied to `to`. */
@inline
function contiguous(from: usize, step: i32, n: i32, to: usize): usize {
  if (step == 1) {
    if ((n & 3) == 0) return from;
    memory.copy(to, from, (<usize>n) << 2);
  } else if (step == 0) {
    const x = v128.load32_splat(from);
    for (let i: usize = 0; i < (<usize>n) << 2; i += 16) v128.store(to + i, x);
  } else {
    for (let i: usize = 0; i < (<usize>n) << 2; i += 4, from += (<usize>step) << 2)
      store<f32>(to + i, load<f32>(from));
  }
  return to;
}

export function unary(item: i32, scratch: usize, at: usize): void {
  const loop = changetype<StridedLoop>(at);
  const chunks = (loop.n + loop.chunk - 1) / loop.chunk;
  const from = (item % chunks) * loop.chunk;
  const first = (item / chunks) * loop.rowsPerItem;
  const last = min(loop.rows, first + loop.rowsPerItem);
  const n = min(loop.chunk, loop.n - from);
  for (let row = first; row < last; row++) {
    locateRow(loop, row, from);
    const y = loop.y + ((<usize>row * <usize>loop.n + <usize>from) << 2);
    unaryRow(loop.op, loop.alpha, loop.a + ((<usize>aAt) << 2), loop.aStep, y, n, scratch);
  }
}

function unaryRow(op: i32, alpha: f32, a: usize, step: i32, y: usize, n: i32, scratch: usize): void {
  const fullVectors = step == 1 ? n & ~3 : 0;
  unaryVectors(op, a, y, (<usize>fullVectors) << 2, alpha);
  for (let i = fullVectors; i < n; i += BLOCK_BYTES >> 2) {
    const count = min(BLOCK_BYTES >> 2, n - i);
    const bytes = (<usize>((count + 3) & ~3)) << 2;
    const x = contiguous(a + ((<usize>(i * step)) << 2), step, count, scratch);
    unaryVectors(op, x, scratch + BLOCK_BYTES, bytes, alpha);
    memory.copy(y + ((<usize>i) << 2), scratch + BLOCK_BYTES, (<usize>count) << 2);
  }
}

export function binary(item: i32, scratch: usize, at: usize): void {
  const loop = changetype<StridedLoop>(at);
  const chunks = (loop.n + loop.chunk - 1) / loop.chunk;
  const from = (item % chunks) * loop.chunk;
  const first = (item / chunks) * loop.rowsPerItem;
  const last = min(loop.rows, first + loop.rowsPerItem);
  const n = min(loop.chunk, loop.n - from);
  for (let row = first; row < last; row++) {
    locateRow(loop, row, from);
    const y = loop.y + ((<usize>row * <usize>loop.n + <usize>from) << 2);
    binaryRow(loop, loop.a + ((<usize>aAt) << 2), loop.b + ((<usize>bAt) << 2), y, n, scratch);
  }
}

function binaryRow(loop: StridedLoop, a: usize, b: usize, y: usize, n: i32, scratch: usize): void {
  const aStep = loop.aStep;
  const bStep = loop.bStep;
  const fullVectors = aStep == 1 && bStep == 1 ? n & ~3 : 0;
  binaryVectors(loop.op, a, b, y, (<usize>fullVectors) << 2);
  for (let i = fullVectors; i < n; i += BLOCK_BYTES >> 2) {
    const count = min(BLOCK_BYTES >> 2, n - i);
    const left = contiguous(a + ((<usize>(i * aStep)) << 2), aStep, count, scratch);
    const right = contiguous(b + ((<usize>(i * bStep)) << 2), bStep, count, scratch + BLOCK_BYTES);
    const to = y + ((<usize>i) << 2);
    const target = (count & 3) == 0 ? to : scratch + 2 * BLOCK_BYTES;
    binaryVectors(loop.op, left, right, target, (<usize>((count + 3) & ~3)) << 2);
    if (target != to) memory.copy(to, target, (<usize>count) << 2);
  }
}

/** Compares two inputs. The output has bytes: 1 if the comparison holds, else 0. */
export function compare(item: i32, scratch: usize, at: usize): void {
  const loop = changetype<StridedLoop>(at);
  const chunks = (loop.n + loop.chunk - 1) / loop.chunk;
  const from = (item % chunks) * loop.chunk;
  const first = (item / chunks) * loop.rowsPerItem;
  const last = min(loop.rows, first + loop.rowsPerItem);
  const n = min(loop.chunk, loop.n - from);
  for (let row = first; row < last; row++) {
    locateRow(loop, row, from);
    const y = loop.y + <usize>row * <usize>loop.n + <usize>from;
    for (let i = 0; i < n; i += BLOCK_BYTES >> 2) {
      const count = min(BLOCK_BYTES >> 2, n - i);
      const a = contiguous(loop.a + ((<usize>(aAt + i * loop.aStep)) << 2), loop.aStep, count, scratch);
      const b = contiguous(
        loop.b + ((<usize>(bAt + i * loop.bStep)) << 2),
        loop.bStep,
        count,
        scratch + BLOCK_BYTES,
      );
      binaryVectors(loop.op, a, b, scratch + 2 * BLOCK_BYTES, (<usize>((count + 3) & ~3)) << 2);
      storeBits(scratch + 2 * BLOCK_BYTES, y + i, count);
    }
  }
}

/** Converts masks of 32 bits to bytes: 1 if the bits are set, else 0. */
@inline
function storeBits(masks: usize, y: usize, n: i32): void {
  const one = i8x16.splat(1);
  let k = 0;
  for (; k + 16 <= n; k += 16, masks += 64, y += 16) {
    const low = i16x8.narrow_i32x4_s(v128.load(masks), v128.load(masks, 16));
    const high = i16x8.narrow_i32x4_s(v128.load(masks, 32), v128.load(masks, 48));
    v128.store(y, v128.and(i8x16.narrow_i16x8_s(low, high), one));
  }
  for (; k < n; k++, masks += 4, y++) store<u8>(y, load<u8>(masks) & 1);
}

/** Converts bytes, `step` apart, to masks of 32 bits: all bits are set if a byte is not 0. */
@inline
function storeMasks(c: usize, step: i32, masks: usize, n: i32): void {
  let k = 0;
  if (step == 1) {
    const zeros = i8x16.splat(0);
    for (; k + 16 <= n; k += 16, c += 16, masks += 64) {
      const bytes = i8x16.ne(v128.load(c), zeros);
      const low = i16x8.extend_low_i8x16_s(bytes);
      const high = i16x8.extend_high_i8x16_s(bytes);
      v128.store(masks, i32x4.extend_low_i16x8_s(low));
      v128.store(masks, i32x4.extend_high_i16x8_s(low), 16);
      v128.store(masks, i32x4.extend_low_i16x8_s(high), 32);
      v128.store(masks, i32x4.extend_high_i16x8_s(high), 48);
    }
  }
  for (; k < n; k++, c += step, masks += 4) store<i32>(masks, load<u8>(c) != 0 ? -1 : 0);
}

/** y = c ? a : b, with c in bytes. */
export function choose(item: i32, scratch: usize, at: usize): void {
  const loop = changetype<StridedLoop>(at);
  const chunks = (loop.n + loop.chunk - 1) / loop.chunk;
  const from = (item % chunks) * loop.chunk;
  const first = (item / chunks) * loop.rowsPerItem;
  const last = min(loop.rows, first + loop.rowsPerItem);
  const n = min(loop.chunk, loop.n - from);
  for (let row = first; row < last; row++) {
    locateRow(loop, row, from);
    const y = loop.y + ((<usize>row * <usize>loop.n + <usize>from) << 2);
    for (let i = 0; i < n; i += BLOCK_BYTES >> 2) {
      const count = min(BLOCK_BYTES >> 2, n - i);
      const a = contiguous(loop.a + ((<usize>(aAt + i * loop.aStep)) << 2), loop.aStep, count, scratch);
      const b = contiguous(
        loop.b + ((<usize>(bAt + i * loop.bStep)) << 2),
        loop.bStep,
        count,
        scratch + BLOCK_BYTES,
      );
      const masks = scratch + 2 * BLOCK_BYTES;
      const to = scratch + 3 * BLOCK_BYTES;
      storeMasks(loop.c + cAt + i * loop.cStep, loop.cStep, masks, count);
      for (let k: usize = 0; k < (<usize>count) << 2; k += 16) {
        v128.store(to + k, v128.bitselect(v128.load(a + k), v128.load(b + k), v128.load(masks + k)));
      }
      memory.copy(y + ((<usize>i) << 2), to, (<usize>count) << 2);
    }
  }
}

/** Copies rows of 32-bit words from `a` to `b`, both with any strides. */
export function copyRows(item: i32, scratch: usize, at: usize): void {
  const loop = changetype<StridedLoop>(at);
  const chunks = (loop.n + loop.chunk - 1) / loop.chunk;
  const from = (item % chunks) * loop.chunk;
  const first = (item / chunks) * loop.rowsPerItem;
  const last = min(loop.rows, first + loop.rowsPerItem);
  const n = min(loop.chunk, loop.n - from);
  const contiguous = loop.aStep == 1 && loop.bStep == 1;
  for (let row = first; row < last; row++) {
    locateRow(loop, row, from);
    const a = loop.a + ((<usize>aAt) << 2);
    const b = loop.b + ((<usize>bAt) << 2);
    if (!contiguous) copyApart(a, loop.aStep, b, loop.bStep, n);
    else if (n < 256) copyVectors(a, b, n);
    else memory.copy(b, a, (<usize>n) << 2);
  }
}

function copyApart(a: usize, aStep: i32, b: usize, bStep: i32, n: i32): void {
  for (let i = 0; i < n; i++, a += (<usize>aStep) << 2, b += (<usize>bStep) << 2) store<i32>(b, load<i32>(a));
}

/** Copies a short row, faster than a call of memory.copy. */
@inline
function copyVectors(a: usize, b: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4, a += 16, b += 16) v128.store(b, v128.load(a));
  for (; i < n; i++, a += 4, b += 4) store<i32>(b, load<i32>(a));
}
