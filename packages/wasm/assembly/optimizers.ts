// In-place optimizer steps on contiguous float32. A work item is `step` numbers; the last vector of the last item may be partial.

import { loadPartial, storePartial } from "./lanes";

/**
 * Adam and AdamW. `coupled`: weight decay of Adam (L2). `shrink`: the factor `1 - rate · decay` of AdamW.
 *
 * @param mean - First moment. `square`: second moment. `largest`: its maximum so far (AMSGrad); 0: none.
 * @param correction - Factor that removes the bias of the second moment.
 */
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
  const oneMinusBeta1 = f32x4.splat(<f32>(1 - <f64>beta1));
  const oneMinusBeta2 = f32x4.splat(<f32>(1 - <f64>beta2));
  const e = f32x4.splat(eps);
  const c = f32x4.splat(coupled);
  const s = f32x4.splat(shrink);
  const r = f32x4.splat(rate);
  const k = f32x4.splat(correction);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const rest = count - i;
    const p = loadPartial(param + at, rest, scratch);
    const g = f32x4.add(loadPartial(gradient + at, rest, scratch), f32x4.mul(c, p));
    const m = f32x4.add(f32x4.mul(b1, loadPartial(mean + at, rest, scratch)), f32x4.mul(oneMinusBeta1, g));
    const v = f32x4.add(
      f32x4.mul(b2, loadPartial(square + at, rest, scratch)),
      f32x4.mul(f32x4.mul(oneMinusBeta2, g), g),
    );
    storePartial(mean + at, m, rest, scratch);
    storePartial(square + at, v, rest, scratch);
    let secondMoment = v;
    if (largest != 0) {
      secondMoment = f32x4.max(loadPartial(largest + at, rest, scratch), v);
      storePartial(largest + at, secondMoment, rest, scratch);
    }
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(secondMoment, k)), e);
    storePartial(param + at, f32x4.sub(f32x4.mul(s, p), f32x4.div(f32x4.mul(r, m), root)), rest, scratch);
  }
}

/** SGD with momentum. `gradientFactor`: factor of the gradient in the velocity, 1 - dampening. */
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
  gradientFactor: f32,
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
  const t = f32x4.splat(gradientFactor);
  const d = f32x4.splat(decay);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const rest = count - i;
    const p = loadPartial(param + at, rest, scratch);
    const g = f32x4.add(loadPartial(gradient + at, rest, scratch), f32x4.mul(d, p));
    let direction = g;
    if (velocity != 0) {
      const v = f32x4.add(f32x4.mul(m, loadPartial(velocity + at, rest, scratch)), f32x4.mul(t, g));
      storePartial(velocity + at, v, rest, scratch);
      direction = nesterov ? f32x4.add(g, f32x4.mul(m, v)) : v;
    }
    storePartial(param + at, f32x4.sub(p, f32x4.mul(r, direction)), rest, scratch);
  }
}
