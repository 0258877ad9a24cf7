import { load4 } from "./half-floats";

/** Reads four rows of four numbers, `across` bytes apart, and stores their columns `step` bytes apart. */
@inline
export function storeTransposed(from: usize, across: usize, to: usize, step: usize): void {
  storeTransposedAs<f32>(from, across, to, step);
}

/** `storeTransposed` for the types that {@link load4} reads. */
@inline
export function storeTransposedAs<T>(from: usize, across: usize, to: usize, step: usize): void {
  const r0 = load4<T>(from);
  const r1 = load4<T>(from + across);
  const r2 = load4<T>(from + (across << 1));
  const r3 = load4<T>(from + (across << 1) + across);
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(to + step, v128.shuffle<i64>(a, b, 1, 3));
  v128.store(to + (step << 1), v128.shuffle<i64>(c, d, 0, 2));
  v128.store(to + (step << 1) + step, v128.shuffle<i64>(c, d, 1, 3));
}
