// Four float32 at a time.

@inline
export function zero(): v128 {
  return f32x4.splat(0);
}

/** a · b + c, rounded once where the machine can. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

@inline
export function sumOf(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3)
  );
}

/** The sums of four vectors. */
@inline
export function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

@inline
export function largestOf(x: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max<f32>(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/**
 * e to the power of x, to about one unit in the last place; 0 below -87.3, infinity above 88.7. The whole part of
 * x / ln 2 becomes the exponent; what is left, at most ln 2 / 2, goes through a polynomial of degree 6.
 */
@inline
export function exp4(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
  // ln 2 in two parts, the first of which times n is exact.
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.mul(f32x4.mul(p, r), r), f32x4.add(r, f32x4.splat(1)));
  // Twice half the exponent: 2^128 itself is no float32.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const rest = i32x4.sub(whole, half);
  const one = i32x4.splat(127);
  const y = f32x4.mul(
    f32x4.mul(p, i32x4.shl(i32x4.add(half, one), 23)),
    i32x4.shl(i32x4.add(rest, one), 23),
  );
  const low = v128.andnot(y, f32x4.lt(x, f32x4.splat(-87.33654)));
  return v128.bitselect(f32x4.splat(Infinity), low, f32x4.gt(x, f32x4.splat(88.72284)));
}

/**
 * The numbers that `power4` needs, four of each. They are read from memory before a loop: written into it as constants
 * they would be built anew each time round.
 */
export const powerNumbers: usize = memory.data<f32>([
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, // 1 / ln 2
  -127, -127, -127, -127, // below, the power is exactly 0
  12582912, 12582912, 12582912, 12582912, // 1.5 · 2^23: adding it rounds to a whole number
  0.0013264727, 0.0013264727, 0.0013264727, 0.0013264727,
  0.009671513, 0.009671513, 0.009671513, 0.009671513,
  0.055507336, 0.055507336, 0.055507336, 0.055507336,
  0.24022242, 0.24022242, 0.24022242, 0.24022242,
  0.693147, 0.693147, 0.693147, 0.693147,
  1, 1, 1, 1,
], 16);

/**
 * e to the power of x for x of at most 0, as softmax needs it: relative error below 2e-7 for small x, and 0 below -88.
 * 2^(whole + rest): the whole part goes into the exponent, the rest through a polynomial whose constant term is exactly 1.
 * NaN gives some number; callers look for it elsewhere.
 */
@inline
export function power4(
  x: v128, scale: v128, floor: v128, magic: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, c0: v128,
): v128 {
  const y = f32x4.pmax(f32x4.mul(x, scale), floor);
  const shifted = f32x4.add(y, magic);
  const rest = f32x4.sub(y, f32x4.sub(shifted, magic));
  let p = madd(c5, rest, c4);
  p = madd(p, rest, c3);
  p = madd(p, rest, c2);
  p = madd(p, rest, c1);
  p = madd(p, rest, c0);
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** 1 where a comparison holds, else 0. */
@inline
export function truth(condition: v128): v128 {
  return v128.and(condition, f32x4.splat(1));
}

/** -1, 0 or 1; NaN stays. */
@inline
export function sign4(x: v128): v128 {
  const one = v128.or(v128.and(x, f32x4.splat(-0.0)), f32x4.splat(1));
  return v128.bitselect(one, x, v128.or(f32x4.lt(x, zero()), f32x4.gt(x, zero())));
}

/** y, and 0 where dy is 0: no slope arrives, whatever it would be multiplied with. */
@inline
export function where0(dy: v128, y: v128): v128 {
  return v128.and(y, f32x4.ne(dy, zero()));
}

/** The hyperbolic tangent, to two units in the last place: a polynomial for small x, else 1 - 2 / (e^2|x| + 1). */
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const small = f32x4.add(x, f32x4.mul(f32x4.mul(p, z), x));
  const power = exp4(f32x4.add(size, size));
  const one = f32x4.splat(1);
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(power, one)));
  const signed = v128.or(large, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(small, v128.bitselect(signed, x, f32x4.eq(x, x)), f32x4.lt(size, f32x4.splat(0.625)));
}

/**
 * The natural logarithm, to one unit in the last place; -infinity of 0, NaN below. The exponent times ln 2, and of what is
 * left, between √½ and √2, a polynomial of degree 8.
 */
@inline
export function log4(x: v128): v128 {
  // Denormal numbers first become normal ones, 2^23 times as large.
  const tiny = f32x4.lt(x, f32x4.splat(1.1754943508e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // With the bits of √½ taken off, the exponent counts from √½ on.
  const bits = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const whole = i32x4.shr_s(bits, 23);
  const m = f32x4.sub(i32x4.sub(normal, i32x4.shl(whole, 23)), f32x4.splat(1));
  const e = f32x4.sub(f32x4.convert_i32x4_s(whole), v128.and(tiny, f32x4.splat(23)));
  const z = f32x4.mul(m, m);
  let p = f32x4.splat(7.0376836292e-2);
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.1514610310e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(1.1676998740e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, m), f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, z), m);
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  y = f32x4.add(f32x4.add(m, y), f32x4.mul(e, f32x4.splat(0.693359375)));
  // What has no logarithm, and what is its own.
  y = v128.bitselect(y, f32x4.splat(NaN), f32x4.ge(x, zero()));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, zero()));
  return v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(Infinity)));
}
