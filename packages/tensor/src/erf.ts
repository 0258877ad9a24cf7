/**
 * The error function, `2/√π ∫₀ˣ e^(−t²) dt`, to about 1 part in 10^16: Cody's rational approximations (1969), one near
 * zero and two of `erfc` beyond. The coefficients are those of his CALERF (netlib.org/specfun/erf).
 *
 * @see "Rational Chebyshev Approximations for the Error Function" (1969), Mathematics of Computation 23
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size <= near) return x * ratio(nearTop, nearBottom, x * x);
  const rest = 1 - upperTail(size);
  return x < 0 ? -rest : rest;
}

/** `1 − erf(x)`, without cancellation for large x. */
export function erfc(x: number): number {
  if (Math.abs(x) <= near) return 1 - erf(x);
  return x < 0 ? 2 - upperTail(-x) : upperTail(x);
}

/** Limit of the first approximation. */
const near = 0.46875;

/** erfc of a number above `near`. */
function upperTail(x: number): number {
  if (x > 27) return 0;
  // exp(−x²) is split so that the rounding error of a large x² does not matter.
  const coarse = Math.trunc(x * 16) / 16;
  const decay = Math.exp(-coarse * coarse) * Math.exp(-(x - coarse) * (x + coarse));
  if (x <= 4) return decay * ratio(middleTop, middleBottom, x);
  const z = 1 / (x * x);
  return (decay * (1 / Math.sqrt(Math.PI) - z * ratio(farTop, farBottom, z))) / x;
}

/** Coefficients from the highest power down. */
function ratio(top: readonly number[], bottom: readonly number[], x: number): number {
  let [above, below] = [0, 0];
  for (let n = 0; n < top.length; n++) above = above * x + top[n]!;
  for (let n = 0; n < bottom.length; n++) below = below * x + bottom[n]!;
  return above / below;
}

const nearTop = [
  0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694,
];
const nearBottom = [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const middleTop = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
  881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const middleBottom = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
const farTop = [
  0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
  0.0006587491615298378,
];
const farBottom = [
  1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];
