// Steps of optimizers, in place, on packed numbers: an item is a stretch of `step` of them, whole vectors and what is left.

/** Each stretch in vectors; what is left of the last one number by number, in the lanes of a vector. */
export function adam(
  item: i32,
  scratch: usize,
  param: usize,
  mean: usize,
  square: usize,
  gradient: usize,
  n: i32,
  step: i32,
  beta1: f32,
  beta2: f32,
  eps: f32,
  coupled: f32,
  shrink: f32,
  rate: f32,
  correction: f32,
  largest: usize,
): void {
  const first = item * step;
  const count = min(step, n - first);
  const offset = (<usize>first) << 2;
  param += offset;
  mean += offset;
  square += offset;
  gradient += offset;
  if (largest != 0) largest += offset;
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const more1 = f32x4.splat(<f32>(1 - <f64>beta1));
  const more2 = f32x4.splat(<f32>(1 - <f64>beta2));
  const e = f32x4.splat(eps);
  const c = f32x4.splat(coupled);
  const s = f32x4.splat(shrink);
  const r = f32x4.splat(rate);
  const k = f32x4.splat(correction);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const rest = count - i;
    const p = some(param + at, rest, scratch);
    const g = f32x4.add(some(gradient + at, rest, scratch), f32x4.mul(c, p));
    const m = f32x4.add(f32x4.mul(b1, some(mean + at, rest, scratch)), f32x4.mul(more1, g));
    const v = f32x4.add(f32x4.mul(b2, some(square + at, rest, scratch)), f32x4.mul(f32x4.mul(more2, g), g));
    put(mean + at, m, rest, scratch);
    put(square + at, v, rest, scratch);
    let under = v;
    if (largest != 0) {
      under = f32x4.max(some(largest + at, rest, scratch), v);
      put(largest + at, under, rest, scratch);
    }
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(under, k)), e);
    put(param + at, f32x4.sub(f32x4.mul(s, p), f32x4.div(f32x4.mul(r, m), root)), rest, scratch);
  }
}

export function sgd(
  item: i32,
  scratch: usize,
  param: usize,
  velocity: usize,
  gradient: usize,
  n: i32,
  step: i32,
  rate: f32,
  momentum: f32,
  taken: f32,
  nesterov: i32,
  decay: f32,
): void {
  const first = item * step;
  const count = min(step, n - first);
  const offset = (<usize>first) << 2;
  param += offset;
  gradient += offset;
  if (velocity != 0) velocity += offset;
  const r = f32x4.splat(rate);
  const m = f32x4.splat(momentum);
  const t = f32x4.splat(taken);
  const d = f32x4.splat(decay);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const rest = count - i;
    const p = some(param + at, rest, scratch);
    const g = f32x4.add(some(gradient + at, rest, scratch), f32x4.mul(d, p));
    let along = g;
    if (velocity != 0) {
      const v = f32x4.add(f32x4.mul(m, some(velocity + at, rest, scratch)), f32x4.mul(t, g));
      put(velocity + at, v, rest, scratch);
      along = nesterov ? f32x4.add(g, f32x4.mul(m, v)) : v;
    }
    put(param + at, f32x4.sub(p, f32x4.mul(r, along)), rest, scratch);
  }
}

/** Up to four numbers. */
@inline
export function some(from: usize, count: i32, scratch: usize): v128 {
  if (count >= 4) return v128.load(from);
  v128.store(scratch, f32x4.splat(0));
  memory.copy(scratch, from, (<usize>count) << 2);
  return v128.load(scratch);
}
@inline
export function put(to: usize, x: v128, count: i32, scratch: usize): void {
  if (count >= 4) {
    v128.store(to, x);
  } else {
    v128.store(scratch, x);
    memory.copy(to, scratch, (<usize>count) << 2);
  }
}
